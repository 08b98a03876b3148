"""Checks the operators on this device against NumPy references; `--mode=check`."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy import ndarray

from gcgan_jax import __version__, references
from gcgan_jax.gan.penalties import gradient_penalty
from gcgan_jax.graphs.knn import knn
from gcgan_jax.layers.conv import conv, strided_conv, upsample_conv
from gcgan_jax.operators.ecc import FilterNetwork, ecc
from gcgan_jax.operators.edge_conv import edge_conv
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.known_defects import known_defects

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
TOLERANCE = 1e-4  # for float32 values and gradients, relative to the largest


@dataclass(frozen=True)
class Operator:
    """A function of float arrays, its reference in NumPy loops, and arrays to apply both to."""

    name: str
    function: Callable[..., Array]
    reference: Callable[..., ndarray]
    arrays: tuple[ndarray, ...]


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
    agree = [_check_knn(), *map(check_operator, operators()), _check_gradient_penalty()]
    return all(agree)


def operators() -> Iterator[Operator]:
    """Yield the operators to check, at sizes that divide neither a tile nor each other."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> ndarray:
        return rng.normal(size=shape)

    neighbours = rng.integers(7, size=(2, 7, 3))
    h = normal(2, 7, 4)
    for reduction in ("sum", "mean", "max"):
        yield Operator(
            f"EdgeConv, {reduction}",
            lambda h, phi, psi, r=reduction: edge_conv(h, neighbours, phi, psi, r),
            lambda h, phi, psi, r=reduction: references.edge_conv(h, neighbours, phi, psi, r),
            (h, normal(4, 3), normal(4, 3)),
        )
    for name, delta in {"ECC": 10.0, "ECC without attention": None}.items():
        yield Operator(
            name,
            partial(_ecc, neighbours, delta),
            partial(_ecc_reference, neighbours, delta),
            (h, normal(4, 3), normal(3), normal(3, 4, 2), normal(4, 2)),
        )
    x, kernel, same = normal(1, 4, 6, 2), normal(3, 3, 2, 3), ((1, 1), (1, 1))
    yield Operator(
        "3x3 convolution",
        lambda x, kernel: conv(x, kernel, same),
        lambda x, kernel: references.conv(x, kernel, same),
        (x, kernel),
    )
    yield Operator(
        "upsampling convolution",
        upsample_conv,
        lambda x, kernel: references.conv(references.upsample(x), kernel, same),
        (x, kernel),
    )
    yield Operator(
        "strided convolution",
        strided_conv,
        partial(references.conv, padding=((1, 2), (1, 2)), stride=2),
        (x, normal(5, 5, 2, 3)),
    )


def _ecc(neighbours: ndarray, delta: float | None, h: Array, *weights: Array) -> Array:
    return ecc(h, neighbours, FilterNetwork(*weights), delta=delta, slope=0.2)


def _ecc_reference(
    neighbours: ndarray, delta: float | None, h: ndarray, *weights: ndarray
) -> ndarray:
    w1, b1, w2, b2 = weights
    return references.ecc(h, neighbours, w1, b1, w2, b2, delta, 0.2)


def _check_knn() -> bool:
    """Require equal indices for integer features, whose distances are exact."""
    x = np.random.default_rng(1).integers(-4, 5, size=(2, 7, 9, 6)).astype(np.float32)
    equal = all(
        np.array_equal(jax.jit(partial(knn, k=k))(x), references.knn(x, k)) for k in (1, 8, 54)
    )
    report(f"{'kNN':<24} {'equal indices' if equal else 'FAILED: different indices'}")
    return equal


def check_operator(operator: Operator) -> bool:
    """Check value and gradients at the highest precision; report the default precision's error."""
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
    default = _relative_error(default, expected)
    what = f"in value and gradients, {default:.0e} in value at default precision"
    return _report_agreement(operator.name, error, what)


def _check_gradient_penalty() -> bool:
    """Check the penalty of a linear critic: (||w|| - 1)^2, as its gradient is its weights w."""
    rng = np.random.default_rng(3)
    w, real, fake = (rng.normal(size=(4, 6, 6, 3)).astype(np.float32) for _ in range(3))
    mix = rng.uniform(size=4).astype(np.float32)

    @jax.jit
    def penalty(w: Array) -> Array:
        return gradient_penalty(lambda x: jnp.sum(x * w, axis=(1, 2, 3)), real, fake, mix)[0]

    expected = np.mean((np.sqrt(np.sum(w.astype(np.float64) ** 2, axis=(1, 2, 3))) - 1) ** 2)
    return _report_agreement("gradient penalty", _relative_error(penalty(w), expected), "in value")


def _report_agreement(name: str, error: float, what: str) -> bool:
    agrees = error < TOLERANCE
    report(f"{name:<24} {'agrees' if agrees else 'FAILED'}: error {error:.0e} {what}")
    return agrees


def _relative_error(actual: Array, expected: ndarray) -> float:
    """Return the largest absolute difference over the largest absolute expected value."""
    return float(np.max(np.abs(np.asarray(actual) - expected)) / np.max(np.abs(expected)))
