"""scripts/benchmark/aot.py where no compiler for accelerators is installed."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(find_spec("libtpu") is not None, reason="a compiler is installed")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--all", "--target=v5e"], "pip install -e '.[ahead]'"),
        (["--target=v5e"], "--config"),
    ],
)
def test_what_is_missing_is_told_in_one_line(arguments: list[str], told: str) -> None:
    command = [sys.executable, "-m", "scripts.benchmark.aot", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
