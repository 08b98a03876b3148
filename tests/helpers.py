"""What several tests share: comparisons, a run without training, and files of a page."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import jax
import numpy as np
from jax import Array
from numpy import ndarray

from gcgan_jax import references
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.state import State
from gcgan_jax.platforms import Variant, force_variant
from gcgan_jax.storage.checkpoints import Checkpoints
from gcgan_jax.storage.workdir import write_settings
from tests.program import ROOT

OPERATOR_PAGE = ROOT / "docs/operator.md"
VARIANTS: tuple[Variant, ...] = ("cpu", "default")


def assert_agrees(
    operator: Callable[..., Array], reference: Callable[..., ndarray], *arrays: ndarray
) -> None:
    """Check value and gradients of each variant, jitted and in float64, against the reference."""
    expected = reference(*arrays)
    cotangent = np.random.default_rng(1).normal(size=expected.shape)
    expected_gradients = references.gradients(
        lambda *arrays: np.sum(cotangent * reference(*arrays)), *arrays
    )

    def value_and_gradients(variant: Variant, *arrays: Array) -> tuple[Array, ...]:
        with force_variant(variant):
            out, vjp = jax.vjp(operator, *arrays)
            return out, *vjp(cotangent)

    with jax.enable_x64(True):
        results = jax.jit(
            lambda *arrays: [value_and_gradients(variant, *arrays) for variant in VARIANTS]
        )(*arrays)
    for value, *gradients in results:
        assert {array.dtype for array in (value, *gradients)} == {np.dtype(np.float64)}
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
        for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-6, atol=1e-7)


def assert_same(a: object, b: object) -> None:
    """Check that two trees are equal bit for bit."""
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)


def save_untrained(experiment: Experiment, workdir: Path) -> State:
    """Write a workdir as training leaves it, with untrained networks as checkpoint 2."""
    state = experiment.init_state()
    write_settings(workdir, experiment.settings)
    with closing(Checkpoints(workdir / "checkpoints", None, experiment.run)) as checkpoints:
        checkpoints.save(state, 2)
    return state


def snapshot(directory: Path) -> dict[Path, tuple[int, bytes]]:
    """Return time and content of all files and directories."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (directory, *directory.rglob("*"))
    }


def write_files_of(page: Path, directory: Path) -> dict[str, Path]:
    """Write the Python files that a page shows, each after a line with its name, by name."""
    written = {}
    shown = r"`(\w+\.py)`[^`\n]*\n(?:[^`\n]+\n)*\n```python\n(.*?)```"
    for name, source in re.findall(shown, page.read_text(), re.DOTALL):
        written[name] = directory / name
        written[name].write_text(source)
    return written
