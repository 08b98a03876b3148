"""Errors and their remedies."""

import errno
import re

import pytest

from gcgan_jax.errors import one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left", "run/a"), "run/a: No space left: make room"),
        (OSError(errno.EROFS, "Read-only", "run/a"), "run/a: Read-only: .*--workdir=DIR"),
        (MemoryError("2 GiB"), r"out of memory \(2 GiB\): lower config\.batch_size"),
    ],
)
def test_the_line_holds_the_remedy(error: Exception, line: str) -> None:
    assert re.match(line, one_line(error))
