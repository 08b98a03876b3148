"""Freed memory between blocks in use is returned to the operating system."""

import re
import sys
from pathlib import Path

import pytest

from gcgan_jax.runtime.malloc import release_freed_memory


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_is_released() -> None:
    blocks = [bytes(2000) for _ in range(100_000)]  # 190 MiB
    blocks_in_use = blocks[::50]
    del blocks
    before = resident()
    release_freed_memory()
    assert len(blocks_in_use) == 2000
    assert resident() < before - 100
