"""The config field `deterministic` reaches XLA before it starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from gcgan_jax.runtime.deterministic import FLAG, use_deterministic_kernels
from tests.program import ROOT

SCRIPT = """
import os
from functools import partial
from absl import app
from jax._src import xla_bridge
from gcgan_jax import cli
from gcgan_jax.main import main

def stop(experiment):
    import jax
    print("started" if xla_bridge._backends else "not started", os.environ.get("XLA_FLAGS"))
    print(jax.numpy.arange(3).sum())  # the flag is known to every platform
    raise SystemExit

app.run(partial(main, alter=stop), flags_parser=cli.parse_flags)
"""


@pytest.mark.parametrize(
    ("given", "expected"), [("", FLAG), ("--a=1 --b=2", f"--a=1 --b=2 {FLAG}")]
)
def test_the_flag_is_added_last(given: str, expected: str) -> None:
    environment = {"XLA_FLAGS": given}
    use_deterministic_kernels(environment)
    assert environment["XLA_FLAGS"] == expected


def test_the_field_sets_the_flag_before_a_backend_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, "--config=configs/quickstart.py"]
    flags = [f"--workdir={tmp_path}", "--config.deterministic=True"]
    done = subprocess.run(command + flags, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    started, total = done.stdout.splitlines()
    assert started.startswith("not started") and started.endswith(FLAG)
    assert total == "3"
