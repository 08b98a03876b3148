"""AOT compilation where no compiler for accelerators is installed."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from scripts import ROOT


@pytest.mark.skipif(find_spec("libtpu") is not None, reason="a compiler is installed")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--all", "--target=v5e"], "pip install -e '.[ahead]'"),
        (["--target=v5e"], "--config"),
    ],
)
def test_missing_requirements_are_one_line_errors(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "scripts.benchmark.aot", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
