"""One decision of all processes on a request to stop that any of them received.

A request passes through JAX's key-value store, on process 0: whoever is asked to stop writes
REQUEST, process 0 answers with DECISION, and each process acts on it. Processes that train stop
together, at an iteration on which `StopPoll` agrees.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from gcgan_jax.runtime.distributed import collective, key_value_store
from gcgan_jax.runtime.preemption import Stop

REQUEST, DECISION, LEAVING = "stop/request", "stop/decision", "stop/leaving"
INTERVAL = 0.5  # seconds between polls of all processes
WATCH = 0.2  # seconds between looks at the store
FAREWELL = 5.0  # seconds that process 0 waits for the others to leave before it


@contextmanager
def shared(stop: Stop) -> Iterator[None]:
    """Share requests to stop with the other processes, if there are any."""
    if jax.process_count() == 1:
        yield
        return
    store, alone = key_value_store(), stop.announce

    def announce(number: int) -> None:
        try:
            store.key_value_set(REQUEST, str(number))
        except jax.errors.JaxRuntimeError as error:
            if "ALREADY_EXISTS" not in str(error):  # the others are gone
                alone(number)

    stop.announce, ended = announce, threading.Event()
    tasks = [_act_on_decision, *([_decide] if jax.process_index() == 0 else [])]
    threads = [threading.Thread(target=task, args=(stop, store, ended)) for task in tasks]
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        yield
    finally:
        stop.announce = alone
        ended.set()
        for thread in threads:
            thread.join()


def _decide(stop: Stop, store: Any, ended: threading.Event) -> None:
    number = _wait_for(REQUEST, store, ended)
    if number:
        store.key_value_set(DECISION, f"{'save' if stop.decide() else 'exit'} {number}")


def _act_on_decision(stop: Stop, store: Any, ended: threading.Event) -> None:
    decision, _, number = (_wait_for(DECISION, store, ended) or "").partition(" ")
    if decision == "save":
        stop.signal = int(number)
    if decision != "exit":
        return
    if jax.process_index():
        store.key_value_set(f"{LEAVING}/{jax.process_index()}", "")
    else:  # the others would abort without the store
        _wait_for_others(store)
    stop.exit_unsaved(int(number))


def _wait_for(key: str, store: Any, ended: threading.Event) -> str | None:
    """Return the value of a key once it is set; None once `ended` is, or other processes are gone.

    A thread that waits in the store itself could abort the program at its end.
    """
    while not ended.wait(WATCH):
        try:
            return str(store.key_value_try_get(key))
        except jax.errors.JaxRuntimeError as error:
            if "NOT_FOUND" not in str(error):
                return None
    return None


def _wait_for_others(store: Any) -> None:
    deadline = time.monotonic() + FAREWELL
    for process in range(1, jax.process_count()):
        remaining = max(deadline - time.monotonic(), 0.01)
        try:
            store.blocking_key_value_get(f"{LEAVING}/{process}", round(1000 * remaining))
        except jax.errors.JaxRuntimeError:
            return
    time.sleep(0.5)  # from their keys to their exits


class StopPoll:
    """Polled after each call of the training step: the signal on which all processes stop."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._calls, self._next = 0, 1  # calls since the last poll of all, and until the next
        self._last = time.monotonic()

    def __call__(self) -> int | None:
        """Return the signal, the same in all processes, or None to go on.

        Raises:
            LostProcessError: another process has ended.
        """
        if jax.process_count() == 1:
            return self._stop.signal
        self._calls += 1
        if self._calls < self._next:
            return None
        now = time.monotonic()
        calls = max(1, int(INTERVAL * self._calls / max(now - self._last, 1e-6)))
        with collective():
            polled = multihost_utils.process_allgather(np.array([self._stop.signal or 0, calls]))
        self._calls, self._next, self._last = 0, int(polled[0, 1]), now
        return int(polled[:, 0].max()) or None
