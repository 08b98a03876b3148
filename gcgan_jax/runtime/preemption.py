"""Signals that ask the program to stop: SIGTERM, as before a preemption, and SIGINT, Ctrl-C."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StoppedError(Exception):
    """The program was asked to stop, and has saved its work; `code` is to be its exit's."""

    def __init__(self, number: int, saved: str) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name}: {saved}; the same command goes on from there")
        self.code = exit_code(number)


class Stop:
    """Whether the program was asked to stop.

    Attributes:
        number: of the signal; None: it was not.
        can_save: whether there is something to be saved, and whoever works looks at `number` soon.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.can_save = False

    @property
    def requested(self) -> bool:
        return self.signal is not None


@contextmanager
def stoppable(leave: Callable[[str, int], object]) -> Iterator[Stop]:
    """Listens to the signals, even while Python waits for a compiler.

    Args:
        leave: ends the program at once, with a message and an exit code: when nothing is to be
            saved, or a second signal comes.
    """
    stop = Stop()
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    old = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def listen() -> None:
        with heard:
            for number in iter(lambda: heard.recv(1), b""):
                if number[0] not in SIGNALS:
                    continue
                name = signal.Signals(number[0]).name
                if stop.signal is not None:
                    leave(f"stopped at once by a second {name}", exit_code(number[0]))
                if not stop.can_save:
                    leave(f"stopped by {name}: there was nothing to save", exit_code(number[0]))
                stop.signal = number[0]

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        told.close()


def exit_code(number: int) -> int:
    """As a shell tells it: 143 for SIGTERM, 130 for SIGINT."""
    return 128 + number
