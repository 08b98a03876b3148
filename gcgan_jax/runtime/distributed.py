"""Multi-process training, where each process owns all or some of the devices of its host.

All processes run the same program and perform the same collective operations in the same order.
Only process 0 prints, and reads and writes the workdir; otherwise all are alike.
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
from typing import Any, TypeVar

import jax
import numpy as np
from jax._src.distributed import global_state
from jax.experimental import multihost_utils

from gcgan_jax.errors import UserError
from gcgan_jax.runtime.preemption import StoppedError

HEARTBEAT_TIMEOUT = 100  # seconds until an unresponsive process counts as lost
SHUTDOWN_TIMEOUT = 60  # seconds that processes wait for each other on exit
MESSAGE_BYTES = 1024  # maximum length of an error sent to the other processes

T = TypeVar("T")


class LostProcessError(UserError):
    """Another process has ended; unlike other errors, not all processes raise it."""


@dataclass(frozen=True)
class Cluster:
    """Processes that train together; JAX detects values of None from the cluster's environment."""

    coordinator: str | None  # HOST:PORT on which process 0 listens
    num_processes: int | None
    process_id: int | None
    timeout: int  # seconds to wait for all processes


@contextmanager
def connected(cluster: Cluster | None, on_timeout: Callable[[str], object]) -> Iterator[None]:
    """Connect to the other processes on entry, before any computation, and disconnect on exit.

    A process that fails alone exits without waiting for the others, which detect the loss.

    Args:
        cluster: the processes; None: a single process.
        on_timeout: function that exits the program with a message. An exception would not do, as
            JAX aborts when a process fails to connect.

    Raises:
        UserError: the connection failed.
    """
    if cluster is None:
        yield
        return
    _connect(cluster, on_timeout)
    try:
        yield
    except BaseException as error:
        shared = isinstance(error, UserError | StoppedError)
        if shared and not isinstance(error, LostProcessError):
            jax.distributed.shutdown()  # all processes raise this error
        else:
            atexit.register(_exit_without_waiting, getattr(error, "code", 1))
        raise
    jax.distributed.shutdown()


def _connect(cluster: Cluster, on_timeout: Callable[[str], object]) -> None:
    if cluster.coordinator and cluster.process_id == 0:
        _require_free_address(cluster.coordinator)
    address = f" to --coordinator={cluster.coordinator}" if cluster.coordinator else ""
    count = f"{cluster.num_processes} processes" if cluster.num_processes else "processes"
    message = (
        f"not all {count} connected{address} within {cluster.timeout} s: "
        "start each of them, or raise --connect_timeout"
    )
    watchdog = threading.Timer(cluster.timeout, on_timeout, [message])
    watchdog.daemon = True
    watchdog.start()
    faulthandler.disable()  # if JAX aborts, its own message should come last
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM from us
    try:
        jax.distributed.initialize(
            cluster.coordinator,
            cluster.num_processes,
            cluster.process_id,
            cluster_detection_method="deactivate" if cluster.coordinator else None,
            coordinator_bind_address=cluster.coordinator if cluster.process_id == 0 else None,
            initialization_timeout=cluster.timeout + 60,  # the watchdog fires first
            heartbeat_timeout_seconds=HEARTBEAT_TIMEOUT,
            shutdown_timeout_seconds=SHUTDOWN_TIMEOUT,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise UserError(f"cannot connect to the other processes: {error}") from error
    finally:
        watchdog.cancel()


def _require_free_address(coordinator: str) -> None:
    """Raise UserError if process 0 cannot listen on HOST:PORT; JAX would abort."""
    host, _, port = coordinator.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        raise UserError(
            f"--coordinator={coordinator}: process 0 cannot listen there ({error}): choose an "
            "address of its host and a free port, the same in every process"
        ) from None


def key_value_store() -> Any:
    """Return the client of the store that process 0 serves to all; JAX gives it no public name."""
    return global_state.client


def _exit_without_waiting(code: int) -> None:
    """Exit before JAX's exit handler, which waits for the other processes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def is_main_process() -> bool:
    """Whether this is process 0, which prints and writes files; true in a single process."""
    return jax.process_index() == 0


def all_devices() -> list[jax.Device]:
    """Return the devices of all processes.

    Raises:
        UserError: the processes have different numbers of devices.
    """
    devices = jax.devices()
    counts = Counter(device.process_index for device in devices)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"process {process} has {n}" for process, n in sorted(counts.items()))
        raise UserError(f"all processes must have the same number of devices: {listed}")
    return devices


def require_same(what: str, value: object) -> None:
    """Require that a value has the same repr in all processes.

    Raises:
        UserError: the values differ; raised in every process.
    """
    digests = _gather_messages(hashlib.sha256(repr(value).encode()).hexdigest())
    others = [str(process) for process, digest in enumerate(digests) if digest != digests[0]]
    if others:
        raise UserError(
            f"the {what} of process {', '.join(others)} differs from that of process 0: "
            "start all processes with the same flags"
        )


def on_every_process(task: Callable[[], T]) -> T:
    """Run a task in every process and wait for all; if it fails in one, raise in all of them.

    Raises:
        UserError: the task failed in another process.
        LostProcessError: another process has ended.
    """
    try:
        result = task()
    except Exception as error:
        message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        _gather_messages(message)
        if jax.process_count() == 1 or isinstance(error, UserError):
            raise
        raise UserError(message) from error
    for process, failure in enumerate(_gather_messages("")):
        if failure:
            raise UserError(f"process {process}: {failure}")
    return result


def broadcast(tree: T) -> T:
    """Return process 0's tree of arrays; the others pass any tree with the same shapes."""
    with collective():
        return multihost_utils.broadcast_one_to_all(tree)


@contextmanager
def collective() -> Iterator[None]:
    """Wrap collective operations to detect that a process has ended.

    Raises:
        LostProcessError: in place of JAX's error.
    """
    try:
        yield
    except (ValueError, jax.errors.JaxRuntimeError) as error:
        if jax.process_count() == 1:
            raise
        raise LostProcessError(
            f"process {jax.process_index()} of {jax.process_count()} stopped because another "
            f"process ended or failed: see its message ({str(error).splitlines()[0]})"
        ) from error


def _gather_messages(message: str) -> list[str]:
    """Gather the messages of all processes, truncated to MESSAGE_BYTES."""
    sent = message.encode()[:MESSAGE_BYTES].ljust(MESSAGE_BYTES, b"\0")
    with collective():
        received = multihost_utils.process_allgather(np.frombuffer(sent, np.uint8))
    return [bytes(row).rstrip(b"\0").decode(errors="ignore") for row in received]
