"""The wheel gives the library outside a clone of the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import make
from tests.helpers import save_untrained
from tests.program import ROOT

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
USE = """
import sys
from importlib import resources
import gcgan_jax
import jax
import numpy as np

assert gcgan_jax.__file__.startswith(sys.argv[1]), gcgan_jax.__file__
x = np.zeros((1, 8, 8, 3), np.float32)
conv = gcgan_jax.GraphConv(4, graph=gcgan_jax.KNN, operator=gcgan_jax.EdgeConv)
assert conv.init_with_output(jax.random.key(0), x)[0].shape == (1, 8, 8, 4)
assert gcgan_jax.gradient_penalty(lambda x: x.sum((1, 2, 3)), x, x, np.ones(1))[0] > 0
assert gcgan_jax.inception_score(np.zeros((20, 7)), 10)[0] == 1
for trained, side in ((gcgan_jax.load_example(), 32), (gcgan_jax.load_generator(sys.argv[2]), 16)):
    images = trained.images(trained.latents(range(3)))
    assert images.shape == (3, side, side, 3) and images.dtype == np.uint8 and images.std() > 0
page = ("report/page/page.html", "report/page/viewer.js", "report/page/vendor/uPlot.LICENSE")
for path in ("py.typed", "example/card.md", "evaluation/networks/classifier.md", *page):
    assert (resources.files("gcgan_jax") / path).is_file(), path
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "gcgan_jax", source / "gcgan_jax")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-c", BUILD, folder], cwd=source, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("run")
    save_untrained(make(operator="ecc"), workdir)
    return workdir


def use(python: str, installed: Path, workdir: Path, folder: Path, **environment: str) -> None:
    done = subprocess.run(
        [python, "-c", USE, str(installed), str(workdir)],
        cwd=folder,
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "1"} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_library_from_a_wheel(wheel: Path, workdir: Path, tmp_path: Path) -> None:
    """Use the wheel with the dependencies installed in this environment."""
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"--target={site}"]
    subprocess.run([*install, wheel], check=True)
    use(sys.executable, site, workdir, tmp_path, PYTHONPATH=str(site))


@pytest.mark.slow
def test_the_library_in_a_fresh_environment(wheel: Path, workdir: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    constraints = f"--constraint={ROOT / 'constraints.txt'}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", constraints, wheel], check=True)
    use(str(python), tmp_path / "env", workdir, tmp_path)
