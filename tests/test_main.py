"""The program from outside: what is wrong is told in one line, at once."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gcgan_jax.main", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--config=configs/quickstart.py"),
        (["--config=nowhere.py"], "there is no file nowhere.py"),
        (["--config=configs/ecc.py:many"], "'many'"),
        (["--config=configs/ecc.py", "--config.bath_size=8"], "did you mean 'batch_size'?"),
        (["--config=configs/ecc.py", "--config.batch_size=eight"], "batch_size=eight"),
        (["--config=configs/ecc.py:1000"], "config.generator.k = 1000"),
        (["--config=configs/ecc.py", "--mode=dance"], "mode"),
        (["--config=configs/ecc.py", "train"], "'train'"),
        (["--config=configs/ecc.py", "--images=there"], "needs --mode=evaluate"),
        (["--config=configs/ecc.py", "--mode=evaluate", "--distributed"], "in one process"),
        (
            ["--config=configs/ecc.py", "--mode=evaluate", "--workdir=/nowhere"],
            "holds no run: train one there first",
        ),
        (["--config=configs/quickstart.py", "--config.batch_size=3"], "by the 8 devices"),
        (["--config=configs/baseline.py", "--config.data.dir=/nowhere"], "--config.data.dir"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], told: str) -> None:
    done = call(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("gcgan_jax: ")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_workdir_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = call("--config=configs/quickstart.py", f"--workdir={tmp_path / 'file'}")
    assert done.returncode == 1
    assert "is a file: name a directory" in done.stderr


def test_help_does_not_wait_for_jax() -> None:
    code = "import sys, gcgan_jax.main; print('jax' in sys.modules, 'tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False False\n"
