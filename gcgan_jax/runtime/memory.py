"""Memory that the run has needed so far."""

import sys

import jax

GIB = 2**30


def peak_memory() -> dict[str, float]:
    """Return `peak_memory_gib`, the peak since this process started; {} where it is not counted.

    On an accelerator it is the largest peak of the local devices' memory, on a CPU that of the
    process's resident memory.
    """
    statistics = [device.memory_stats() or {} for device in jax.local_devices()]
    peaks = [
        counted["peak_bytes_in_use"] for counted in statistics if "peak_bytes_in_use" in counted
    ]
    if not peaks:
        peaks = _peak_of_process()
    return {"peak_memory_gib": max(peaks) / GIB} if peaks else {}


def _peak_of_process() -> list[int]:
    try:
        import resource  # exists only on Unix
    except ImportError:
        return []
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit]
