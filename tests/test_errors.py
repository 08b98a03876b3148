"""One-line error messages and their remedies."""

import errno
import re
from pathlib import Path

import pytest

from gcgan_jax.errors import one_line


@pytest.mark.parametrize(
    ("error", "pattern"),
    [
        (OSError(errno.ENOSPC, "No space left", "run/a"), "run/a: No space left: free disk space"),
        (OSError(errno.EROFS, "Read-only", "run/a"), "run/a: Read-only: .*--workdir=DIR"),
        (OSError(errno.EFBIG, "Too large", "run/a"), "run/a: Too large: raise the limit"),
        (
            ValueError("RESOURCE_EXHAUSTED: writing a: [OS error 28: No space left on device]"),
            r"\[Errno 28\] No space left on device: free disk space",
        ),
        (RuntimeError("Disk quota exceeded"), r"\[Errno 122\] Disk quota exceeded: free disk"),
        (OSError(errno.EACCES, "Denied", "out/a"), "out/a: Denied: .*--out=DIR"),
        (OSError(errno.EACCES, "Denied", "."), ".: Denied: .*--workdir=DIR"),  # to create run
        (OSError(errno.EACCES, "Denied", "cache/a"), "cache/a: Denied: check the path and"),
        (MemoryError("2 GiB"), r"out of memory \(2 GiB\): reduce config\.batch_size"),
    ],
)
def test_message_contains_the_remedy(error: Exception, pattern: str) -> None:
    assert re.match(pattern, one_line(error, {Path("run"): "--workdir", Path("out"): "--out"}))
