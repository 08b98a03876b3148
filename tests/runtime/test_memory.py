"""Memory of this process and of devices."""

import subprocess
import sys
from typing import Any, NamedTuple

from gcgan_jax.runtime.memory import available_bytes, available_on, peak_bytes, peak_on


class Device(NamedTuple):
    """Stands for a device of JAX, which says what its allocator holds, if it knows."""

    platform: str
    statistics: dict[str, int] | None = None

    def memory_stats(self) -> dict[str, int] | None:
        return self.statistics


TOUCH = """
from gcgan_jax.runtime.memory import peak_bytes
before = peak_bytes()
touched = bytearray(b"1" * 2**27)
print(peak_bytes() - before)
"""


def test_a_process_counts_what_it_touches() -> None:
    """In a process of its own: tests before this one have touched more."""
    grown = subprocess.run([sys.executable, "-c", TOUCH], capture_output=True, check=True)
    assert int(grown.stdout) > 0.9 * 2**27
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
