"""Memory of this process, and what a device has left, in bytes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

GIB = 2**30
CGROUP = Path("/sys/fs/cgroup/memory.max")  # of a container; "max" without a limit


def peak_bytes() -> int:
    """Return this process's peak resident memory, as Linux counts it.

    Not from getrusage, whose value starts at the parent's memory when it forked this process.

    Raises:
        OSError: this is not Linux.
    """
    return _kibibytes(Path("/proc/self/status"), "VmHWM") * 1024


def available_bytes() -> int:
    """Return the memory that Linux can still allocate; as `peak_bytes`."""
    return _kibibytes(Path("/proc/meminfo"), "MemAvailable") * 1024


def memory_limit(devices: Sequence[Any]) -> int | None:
    """Return the memory of the smallest of these local JAX devices; None if it does not say."""
    limits = [(device.memory_stats() or {}).get("bytes_limit") for device in devices]
    return min((limit for limit in limits if limit), default=None)


def available_on(devices: Sequence[Any]) -> int | None:
    """Return what each of these JAX devices can still allocate; None where that is unknown.

    The devices of a CPU share its memory.
    """
    if devices[0].platform != "cpu":
        statistics = devices[0].memory_stats() or {}
        limit = statistics.get("bytes_limit")
        return None if limit is None else limit - statistics.get("bytes_in_use", 0)
    try:
        return min([available_bytes(), *_container_bytes()]) // len(devices)
    except OSError:
        return None


def peak_on(device: Any) -> int | None:
    """Return the most that a JAX device has held, on a CPU the process; None if unknown."""
    if device.platform != "cpu":
        return (device.memory_stats() or {}).get("peak_bytes_in_use")
    try:
        return peak_bytes()
    except OSError:
        return None


def peak_memory(devices: Sequence[Any]) -> dict[str, float]:
    """Return `peak_memory_gib`, the largest of `peak_on` these devices; {} if all are unknown."""
    peaks = [peak for peak in map(peak_on, devices) if peak is not None]
    return {"peak_memory_gib": max(peaks) / GIB} if peaks else {}


def _container_bytes() -> list[int]:
    """Return the limit of this process's container, if it has one."""
    limit = CGROUP.read_text().strip() if CGROUP.exists() else "max"
    return [] if limit == "max" else [int(limit)]


def _kibibytes(path: Path, field: str) -> int:
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(lines[field].split()[0])
