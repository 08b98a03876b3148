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
from gcgan_jax.operators.low_rank_ecc import LowRankNetwork, low_rank_ecc
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


def operators() -> Iterator[Operator]:
    """Yield the operators to check, at sizes that divide neither a tile nor each other."""
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> ndarray:
        return rng.normal(size=shape)

    yield from _graph_operators(rng.integers(7, size=(2, 7, 3)), normal)
    yield from _convolutions(normal)


def _graph_operators(neighbours: ndarray, normal: Callable[..., ndarray]) -> Iterator[Operator]:
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
    yield Operator(
        "low-rank ECC",
        partial(_low_rank_ecc, neighbours),
        partial(_low_rank_ecc_reference, neighbours, references.edge_rms(h, neighbours)),
        (
            h,
            *(normal(4, 2), normal(2), normal(2, 3), normal(3)),  # w1 and kappa, and their biases
            *(normal(2, 3, 1), normal(3, 2), normal(2, 3, 2), normal(3, 4)),  # left and right
        ),
    )


def _convolutions(normal: Callable[..., ndarray]) -> Iterator[Operator]:
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


def _low_rank_ecc(neighbours: ndarray, h: Array, *weights: Array) -> Array:
    network = LowRankNetwork(*weights)
    return low_rank_ecc(h, neighbours, network, delta=10.0, slope=0.2, normalise=True)


def _low_rank_ecc_reference(
    neighbours: ndarray, rms: ndarray, h: ndarray, *weights: ndarray
) -> ndarray:
    return references.low_rank_ecc(h, neighbours, *weights, delta=10.0, slope=0.2, rms=rms)


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
