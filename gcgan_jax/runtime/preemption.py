"""Graceful stop on signals that announce the end of a job, and on Ctrl-C."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDING = ("SIGTERM", "SIGINT", "SIGHUP")  # a later one, too, asks the program to end
WARNING = ("SIGUSR1", "SIGUSR2", "SIGXCPU")  # of what follows, from SLURM or the kernel
PATIENCE = 2.0  # seconds; `timeout` sends two signals at once, as does closing a terminal


class StoppedError(Exception):
    """The program stopped on a signal after saving its work; raised in all processes alike.

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
        signal: number of the signal on which to save and stop; None: go on.
        announce: passes on the number of a first signal; replaced while several processes train
            together.
    """

    def __init__(self, exit_now: Callable[[str, int], object] | None = None) -> None:
        self.signal: int | None = None
        self.announce: Callable[[int], None] = self._act_alone
        self._exit_now = exit_now
        self._can_save, self._exits = False, False
        self._lock = threading.Lock()

    @property
    def requested(self) -> bool:
        return self.signal is not None

    def enable_saving(self) -> None:
        """Make later requests set `signal`, which must be polled, instead of exiting at once."""
        with self._lock:
            self._can_save = not self._exits
        if not self._can_save:
            threading.Event().wait()  # the thread that decided so ends the program

    def decide(self) -> bool:
        """Return whether to save before exiting; the decision is final."""
        with self._lock:
            self._exits = not self._can_save
            return self._can_save

    def exit_unsaved(self, number: int) -> None:
        """End the program, which has nothing to save."""
        self._exit(f"stopped by {signal.Signals(number).name}: nothing to save", number)

    def exit_immediately(self, number: int) -> None:
        """End the program without saving."""
        self._exit(f"stopped immediately by a second {signal.Signals(number).name}", number)

    def _act_alone(self, number: int) -> None:
        if self.decide():
            self.signal = number
        else:
            self.exit_unsaved(number)

    def _exit(self, message: str, number: int) -> None:
        if self._exit_now:
            self._exit_now(message, exit_code(number))


@contextmanager
def stoppable(exit_now: Callable[[str, int], object]) -> Iterator[Stop]:
    """Handle the signals in a thread, which works even while Python waits for the compiler.

    SIGHUP stays ignored if it is, as under nohup.

    Args:
        exit_now: function that immediately exits with a message and an exit code; called if there
            is nothing to save, or on another signal PATIENCE seconds after the first or later.
    """
    stop = Stop(exit_now)
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in handled()}
    old_fd = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(receiver, stop), daemon=True).start()
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


def _numbers(names: tuple[str, ...]) -> list[int]:
    """Return the numbers of those signals that the operating system has."""
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def handled() -> list[int]:
    """Return the numbers of the signals on which to save, without an ignored SIGHUP."""
    ignored = {n for n in _numbers(("SIGHUP",)) if signal.getsignal(n) is signal.SIG_IGN}
    return [number for number in _numbers(ENDING + WARNING) if number not in ignored]


def _listen(receiver: socket.socket, stop: Stop) -> None:
    """Act on the signals whose numbers arrive on the socket, until it is closed."""
    numbers, ending = handled(), _numbers(ENDING)
    first = None  # time of the first signal
    with receiver:
        for (number,) in iter(lambda: receiver.recv(1), b""):
            if number not in numbers:
                continue
            if first is None:
                first = time.monotonic()
                stop.announce(number)
            elif number in ending and time.monotonic() - first >= PATIENCE:
                stop.exit_immediately(number)
