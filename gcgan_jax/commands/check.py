"""Checks the operators on this device against NumPy references; `--mode=check`."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy import ndarray

from gcgan_jax import __version__, references
from gcgan_jax.commands.checked_operators import Operator, operators
from gcgan_jax.gan.penalties import gradient_penalty
from gcgan_jax.graphs.knn import knn
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.known_defects import known_defects

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
TOLERANCE = 1e-4  # for float32 values and gradients, relative to the largest


@dataclass(frozen=True)
class Agreement:
    """How far an operator on this device is from its reference.

    Attributes:
        error: largest error of value and gradients at the highest matmul precision, relative to the
            largest value; of kNN, the share of unequal indices.
        default_error: that of the value at the default precision; None: it is not computed.
        agrees: whether `error` is small enough.
    """

    name: str
    error: float
    default_error: float | None
    agrees: bool

    def __str__(self) -> str:
        text = f"{self.name:<24} {'agrees' if self.agrees else 'FAILED'}: error {self.error:.0e}"
        if self.default_error is None:
            return text
        return (
            f"{text} in value and gradients, {self.default_error:.0e} in value at default precision"
        )


def check_device() -> bool:
    """Print devices, versions, known defects, and each operator's error against its reference.

    Returns:
        Whether all operators agree with their references.
    """
    devices = jax.devices()
    report(f"devices: {len(devices)} x {devices[0].device_kind} ({devices[0].platform})")
    libraries = (f"{name} {version(name)}" for name in LIBRARIES)
    report(f"gcgan_jax {__version__}, python {platform.python_version()}, {', '.join(libraries)}")
    for defect in known_defects(devices[0].platform, version("jaxlib")):
        report(f"known defect: {defect}")
    agree = True
    for check in checks().values():
        agreement = check()
        report(str(agreement))
        agree &= agreement.agrees
    return agree


def checks() -> dict[str, Callable[[], Agreement]]:
    """Return the check of each operator, by the operator's name."""
    return {
        **{f"kNN, {name}": partial(check_knn, name) for name in ("auto", "kernel")},
        **{operator.name: partial(check_operator, operator) for operator in operators()},
        "gradient penalty": check_gradient_penalty,
    }


def check_knn(selection: str) -> Agreement:
    """Require equal indices for integer features, whose distances are exact."""
    x = np.random.default_rng(1).integers(-4, 5, size=(2, 7, 9, 6)).astype(np.float32)
    unequal = [
        np.mean(np.asarray(jax.jit(partial(knn, k=k, selection=selection))(x)) != expected)
        for k in (1, 8, 54)
        for expected in [references.knn(x, k)]
    ]
    return Agreement(f"kNN, {selection}", float(max(unequal)), None, agrees=not any(unequal))


def check_operator(operator: Operator) -> Agreement:
    """Check value and gradients at the highest precision, and compare the default precision."""
    arrays = [array.astype(np.float32) for array in operator.arrays]
    expected = operator.reference(*operator.arrays)
    weights = np.random.default_rng(2).normal(size=expected.shape)
    gradients = references.gradients(
        lambda *arrays: float(np.sum(weights * operator.reference(*arrays))), *operator.arrays
    )

    @jax.jit
    def compute(*arrays: Array) -> tuple[Array, list[Array]]:
        with jax.default_matmul_precision("highest"):
            value, pull_back = jax.vjp(operator.function, *arrays)
            precise = [value, *pull_back(weights.astype(np.float32))]
        return operator.function(*arrays), precise

    default, precise = compute(*arrays)
    error = max(map(_relative_error, precise, [expected, *gradients]))
    default_error = _relative_error(default, expected)
    return Agreement(operator.name, error, default_error, agrees=error < TOLERANCE)


def check_gradient_penalty() -> Agreement:
    """Check the penalty of a linear critic: (||w|| - 1)^2, as its gradient is its weights w."""
    rng = np.random.default_rng(3)
    w, real, fake = (rng.normal(size=(4, 6, 6, 3)).astype(np.float32) for _ in range(3))
    mix = rng.uniform(size=4).astype(np.float32)

    @jax.jit
    def penalty(w: Array) -> Array:
        return gradient_penalty(lambda x: jnp.sum(x * w, axis=(1, 2, 3)), real, fake, mix)[0]

    expected = np.mean((np.sqrt(np.sum(w.astype(np.float64) ** 2, axis=(1, 2, 3))) - 1) ** 2)
    error = _relative_error(penalty(w), expected)
    return Agreement("gradient penalty", error, None, agrees=error < TOLERANCE)


def _relative_error(actual: Array, expected: ndarray) -> float:
    """Return the largest absolute difference over the largest absolute expected value."""
    return float(np.max(np.abs(np.asarray(actual) - expected)) / np.max(np.abs(expected)))
