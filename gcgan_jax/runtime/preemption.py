"""Graceful stop on SIGTERM, as sent before a preemption, and on SIGINT (Ctrl-C)."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(Exception):
    """The program stopped on a signal after saving its work.

    Attributes:
        code: exit code of the program.
    """

    def __init__(self, number: int, saved: str) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}: {saved}; rerun the same command to resume")
        self.code = exit_code(number)


class Stop:
    """A request to stop.

    Attributes:
        signal: number of the signal received; None: no signal.
        can_save: whether there is work to save and the running code polls `requested`.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.can_save = False

    @property
    def requested(self) -> bool:
        return self.signal is not None


@contextmanager
def stoppable(exit_now: Callable[[str, int], object]) -> Iterator[Stop]:
    """Handle the signals in a thread, which works even while Python waits for the compiler.

    Args:
        exit_now: function that immediately exits with a message and an exit code; called if there
            is nothing to save, or on a second signal.
    """
    stop = Stop()
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    old_fd = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with receiver:
            for number in iter(lambda: receiver.recv(1), b""):
                if number[0] not in SIGNALS:
                    continue
                name = signal.Signals(number[0]).name
                if stop.signal is not None:
                    exit_now(f"stopped immediately by a second {name}", exit_code(number[0]))
                if not stop.can_save:
                    exit_now(f"stopped by {name}: nothing to save", exit_code(number[0]))
                stop.signal = number[0]

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(old_fd)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sender.close()


def exit_code(number: int) -> int:
    """Return the shell's exit code for a signal: 143 for SIGTERM, 130 for SIGINT."""
    return 128 + number
