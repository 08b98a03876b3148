"""Memory of this process and of devices."""

from typing import Any, NamedTuple

import numpy as np

from gcgan_jax.runtime.memory import available_bytes, available_on, peak_bytes, peak_on


class Device(NamedTuple):
    """Stands for a device of JAX, which says what its allocator holds, if it knows."""

    platform: str
    statistics: dict[str, int] | None = None

    def memory_stats(self) -> dict[str, int] | None:
        return self.statistics


def test_a_process_counts_what_it_touches() -> None:
    before = peak_bytes()
    touched = np.ones(2**25)
    assert peak_bytes() - before > 0.9 * touched.nbytes
    assert peak_on(Device("cpu")) >= peak_bytes() - 2**20


def test_devices_of_a_cpu_share_its_memory() -> None:
    one, four = (available_on([Device("cpu")] * n) for n in (1, 4))
    assert one and four and one <= 1.2 * available_bytes() and four < 0.5 * one


def test_an_accelerator_says_what_it_has() -> None:
    statistics: dict[str, Any] = {
        "bytes_limit": 1000,
        "bytes_in_use": 300,
        "peak_bytes_in_use": 700,
    }
    device = Device("gpu", statistics)
    assert (available_on([device, device]), peak_on(device)) == (700, 700)
    for unknown in (Device("tpu"), Device("tpu", {})):
        assert (available_on([unknown]), peak_on(unknown)) == (None, None)
