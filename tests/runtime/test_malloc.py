"""Memory that is free between blocks in use is given back."""

import re
import sys
from pathlib import Path

import pytest

from gcgan_jax.runtime.malloc import release_freed_memory


def resident() -> float:
    """MiB."""
    return int(re.search(r"VmRSS:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_free_memory_is_given_back() -> None:
    blocks = [bytes(2000) for _ in range(100_000)]  # 190 MiB
    kept = blocks[::50]
    del blocks
    before = resident()
    release_freed_memory()
    assert len(kept) == 2000
    assert resident() < before - 100
