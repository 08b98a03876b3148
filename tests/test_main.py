"""The command line, apart from the cases in tests/reliability/invalid_input_cases/."""

import subprocess
import sys
from pathlib import Path

import pytest

from gcgan_jax.config.compatibility import RENAMED
from tests.program import ROOT, Program, ended


def test_verbose_errors_print_the_traceback() -> None:
    program = Program()
    for flags in (["--config=configs/nowhere"], ["--config=configs/ecc.py:many"]):
        code, _, err = ended(program.start(*flags))
        assert (code, err.count("\n")) == (1, 1)
    for flags in (["--config=configs/ecc.py:many"], ["--config=configs/ecc.py:0"]):
        code, _, err = ended(program.start(*flags, "--verbose_errors"))
        assert code == 1
        assert err.startswith("Traceback") and err.splitlines()[-1].startswith("gcgan_jax: ")


@pytest.mark.parametrize("old", RENAMED)
def test_renamed_fields_report_the_new_name(old: str) -> None:
    flag = f"--config.{old}"
    code, out, err = ended(Program().start("--config=configs/ecc.py", f"{flag}=1"))
    assert (code, out) == (1, "")
    assert err == f"gcgan_jax: {flag}: renamed, set --config.{RENAMED[old]} instead\n"


def test_unexpected_errors_are_one_line_too() -> None:
    script = (
        "from functools import partial; from absl import app\n"
        "from gcgan_jax import cli; from gcgan_jax.main import main\n"
        "def fail(experiment): raise KeyError('a\\nb')\n"
        "app.run(partial(main, alter=fail), flags_parser=cli.parse_flags)"
    )
    command = [sys.executable, "-c", script, "--config=configs/ecc.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        done.stderr.startswith("gcgan_jax: internal error: KeyError: ")
        and done.stderr.count("\n") == 1
    )
    assert "--verbose_errors" in done.stderr


def test_main_imports_neither_jax_nor_tensorflow() -> None:
    code = "import sys, gcgan_jax.main; print('jax' in sys.modules, 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False False\n"


def test_a_page_stands_alone(tmp_path: Path) -> None:
    """The README's command for the viewer of the packaged example."""
    page = tmp_path / "viewer.html"
    example = ["--config=configs/quickstart.py", "--config.checkpoint=example"]
    code, _, err = ended(Program().start(*example, "--mode=neighbours", f"--out={page}"))
    assert (code, err) == (0, "")
    assert page.stat().st_size > 10_000 and [*tmp_path.iterdir()] == [page]
