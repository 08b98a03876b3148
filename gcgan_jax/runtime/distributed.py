"""Several processes that train together, each with the devices of its host or a part of them.

All run the same program and do every collective computation in the same order. The first alone
speaks, and reads and writes the workdir; nothing else tells it from the others.
"""

import atexit
import faulthandler
import hashlib
import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from gcgan_jax.errors import UserError

HEARTBEAT_TIMEOUT = 100  # seconds until a process that stopped answering is given up
SHUTDOWN_TIMEOUT = 60  # seconds that processes at their end wait for each other
MESSAGE_BYTES = 1024  # of an error told to the other processes

T = TypeVar("T")


class LostProcessError(UserError):
    """Another process has ended; unlike other errors, not all processes have it."""


@dataclass(frozen=True)
class Cluster:
    """Which processes train together; what is None, JAX finds out in the cluster's environment."""

    coordinator: str | None  # HOST:PORT, where the first process listens
    num_processes: int | None
    process_id: int | None
    timeout: int  # seconds to wait for all of them


@contextmanager
def connected(cluster: Cluster | None, on_timeout: Callable[[str], object]) -> Iterator[None]:
    """Connects this process to the others before any computation, and parts from them after it.

    A process that fails alone ends without waiting for the others, which notice that.

    Args:
        cluster: None for a process on its own.
        on_timeout: ends the program with a message. JAX aborts when a process fails to connect, so
            an exception could not do that.

    Raises:
        UserError: there is no such cluster.
    """
    if cluster is None:
        yield
        return
    _connect(cluster, on_timeout)
    try:
        yield
    except BaseException as error:
        if isinstance(error, UserError) and not isinstance(error, LostProcessError):
            jax.distributed.shutdown()  # all processes have this error
        else:
            atexit.register(_leave, getattr(error, "code", 1))
        raise
    jax.distributed.shutdown()


def _connect(cluster: Cluster, on_timeout: Callable[[str], object]) -> None:
    if cluster.coordinator and cluster.process_id == 0:
        _require_free(cluster.coordinator)
    place = f" of --coordinator={cluster.coordinator}" if cluster.coordinator else ""
    count = f"{cluster.num_processes} processes" if cluster.num_processes else "processes"
    missing = (
        f"the {count}{place} were not all there within {cluster.timeout} s: "
        "start each of them, or allow more time with --connect_timeout"
    )
    watch = threading.Timer(cluster.timeout, on_timeout, [missing])
    watch.daemon = True
    watch.start()
    faulthandler.disable()  # JAX aborts when a process is lost: its message is to be the last
    try:
        jax.distributed.initialize(
            cluster.coordinator,
            cluster.num_processes,
            cluster.process_id,
            cluster_detection_method="deactivate" if cluster.coordinator else None,
            initialization_timeout=cluster.timeout + 60,  # the watch comes first
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
            shutdown_timeout_seconds=SHUTDOWN_TIMEOUT,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise UserError(f"cannot connect to the other processes: {error}") from error
    finally:
        watch.cancel()


def _require_free(coordinator: str) -> None:
    """Raises UserError if the port is taken, over which JAX would abort."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind(("", int(coordinator.rpartition(":")[2])))
        except (OSError, OverflowError) as error:
            raise UserError(
                f"--coordinator={coordinator}: this process cannot listen there ({error}): choose "
                "another port, the same in every process"
            ) from None


def _leave(code: int) -> None:
    """Ends the process before JAX, in its own exit handler, waits for the others."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def is_main_process() -> bool:
    """Whether this is the process that speaks and writes; true of a process on its own."""
    return jax.process_index() == 0


def all_devices() -> list[jax.Device]:
    """The devices of all processes.

    Raises:
        UserError: the processes have unequal numbers of them.
    """
    devices = jax.devices()
    counts = Counter(device.process_index for device in devices)
    if len(set(counts.values())) > 1:
        told = ", ".join(f"process {process} has {n}" for process, n in sorted(counts.items()))
        raise UserError(f"every process must have as many devices as the others: {told}")
    return devices


def require_same(what: str, value: object) -> None:
    """Compares the processes' values by their text.

    Raises:
        UserError: they differ, in every process.
    """
    digests = _gather(hashlib.sha256(repr(value).encode()).hexdigest())
    others = [str(process) for process, digest in enumerate(digests) if digest != digests[0]]
    if others:
        raise UserError(
            f"the {what} of process {', '.join(others)} is not that of process 0: "
            "start all processes with the same flags"
        )


def on_every_process(task: Callable[[], T]) -> T:
    """The task's result, in every process; or, if it fails in one, an error in every process.

    Waits for all processes.

    Raises:
        UserError: the task failed in another process.
        LostProcessError: another process has ended.
    """
    try:
        result = task()
    except Exception as error:
        told = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        _gather(told)
        if jax.process_count() == 1 or isinstance(error, UserError):
            raise
        raise UserError(told) from error
    for process, failure in enumerate(_gather("")):
        if failure:
            raise UserError(f"process {process}: {failure}")
    return result


def broadcast(tree: T) -> T:
    """The first process's tree of arrays, for which the others pass any of the same shapes."""
    with collective():
        return multihost_utils.broadcast_one_to_all(tree)


@contextmanager
def collective() -> Iterator[None]:
    """Around computations of all processes: tells when one of them has ended.

    Raises:
        LostProcessError: instead of the error by which JAX tells it.
    """
    try:
        yield
    except (ValueError, jax.errors.JaxRuntimeError) as error:
        if jax.process_count() == 1:
            raise
        raise LostProcessError(
            f"process {jax.process_index()} of {jax.process_count()} stopped, as another has ended "
            f"or failed: see what that one told ({str(error).splitlines()[0]})"
        ) from error


def _gather(message: str) -> list[str]:
    """The messages of all processes, cut off at MESSAGE_BYTES."""
    sent = message.encode()[:MESSAGE_BYTES].ljust(MESSAGE_BYTES, b"\0")
    with collective():
        received = multihost_utils.process_allgather(np.frombuffer(sent, np.uint8))
    return [bytes(row).rstrip(b"\0").decode(errors="ignore") for row in received]
