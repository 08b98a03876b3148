"""Printing to terminals, pipes and disks that are gone never ends the program."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.program import ROOT

SCRIPT = r"""
import sys
from gcgan_jax.runtime.streams import make_unbreakable
from gcgan_jax.runtime.live_line import LiveLine, print_above

make_unbreakable()
line = LiveLine(10, "iterations")
for n in range(3):
    print_above(f"line {n} \u2603 \udcff")
    print("error", file=sys.stderr)
    line.update(1)
line.close()
open(sys.argv[1], "w").write("done")
"""


@pytest.mark.parametrize(
    "redirection", ["| true", "> /dev/full 2>&1", ">&- 2>&-", "2>&- | head -c 1", "| cat > out"]
)
def test_the_program_goes_on(redirection: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = f"set -o pipefail; {sys.executable} script.py end {redirection}"
    environment = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment)
    assert done.returncode == 0
    assert (tmp_path / "end").read_text() == "done"
    if redirection.endswith("out"):
        printed = (tmp_path / "out").read_text()
        assert all(f"line {n} \\u2603 \\udcff\n" in printed for n in range(3))
