"""Lightweight ECC: edge-conditioned convolution whose edge weights Theta_ij are of low rank.

B images, N nodes, k neighbours, C features in, of which the last are 2 coordinates, F = C - 2,
O features out, Fh = F hidden width of the filter network, r rank, m replicas of a circulant layer.
"""

import math
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.dtypes import promote_dtype
from jax import Array, lax
from jax.ad_checkpoint import checkpoint_name
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.gather import gather_nodes
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import map_images
from gcgan_jax.layers.linear import at_least_float32, linear
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.operators.edge_attention import (
    Delta,
    Rule,
    Scalar,
    attention,
    sow_gamma,
    squared_norms,
)
from gcgan_jax.operators.low_rank_network import LowRankNetwork, expand
from gcgan_jax.platforms import by_platform
from gcgan_jax.ranges import Free, Interval


@jax.named_scope("low_rank_ecc")
def low_rank_ecc(
    h: Float[AnyArray, "B N C"],
    neighbours: Int[AnyArray, "B N k"],
    network: LowRankNetwork,
    *,
    delta: Scalar | None,
    slope: float,
    normalise: bool,
    weights: Float[AnyArray, "B N k"] | None = None,
) -> Float[Array, "B N O"]:
    """Compute lightweight ECC, thesis eq. 3.19 (Valsesia et al. 2020, arXiv:1907.08448):

        d_ij     = h_j - h_i
        a_ij     = leaky_relu( w1 d_ij / sqrt(mean d^2) + b1, slope )
        Theta_ij = sum_s kappa_ijs right_ijs left_ijs^T,  each a linear function of a_ij
        gamma_ij = exp( -||d_ij||^2 / delta )
        out_i    = (1/k) sum_j gamma_ij Theta_ij x_j

    where x_j are the features of h_j without coordinates, and the mean, through which no gradient
    flows, is over all edges of an image. Without it (`normalise=False`), the output grows with the
    fourth power of the features. Layers with m replicas of `w` (circulant approximation) apply
    replica p to a_ij rolled by p Fh / m.

    Computed without materialising Theta or its factors: with left_ijs = w_s^T a_ij, for example,
    left_ijs . x_j = a_ij . (w_s x_j), where w_s x_j is computed once per node, and the sum over j
    precedes the product with the weights of right. All but left_ijs . x_j, which is [N, k, r], is
    recomputed in the backward pass.

    Args:
        h: features.
        neighbours: node indices j.
        network: parameters of the filter network.
        delta: scale of gamma; None switches attention off (gamma = 1).
        slope: negative slope of the leaky ReLU.
        normalise: divide d_ij by its root mean square in w1 d_ij.
        weights: edge weights; each message is multiplied by k times its weight. None: unweighted.

    Example:
        >>> h = jnp.array([[[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [6.0, 0.0, 0.0]]])  # F = 1
        >>> neighbours = jnp.array([[[1], [2], [0]]])
        >>> one = jnp.ones((1, 1, 1))  # a_ij = kappa = left = right = 1, so that Theta_ij = 1
        >>> network = LowRankNetwork(jnp.zeros((3, 1)), one[0, 0], one[0], one, one)
        >>> out = low_rank_ecc(h, neighbours, network, delta=None, slope=0.2, normalise=True)
        >>> out[0, :, 0].tolist()  # x_j
        [2.0, 6.0, 1.0]
    """
    N, k, (F, r) = h.shape[1], neighbours.shape[-1], network.w_kappa.shape
    network = expand(network)

    def aggregate(
        h: Float[Array, "N C"],
        hidden: Float[Array, "N Fh"],
        neighbours: Int[Array, "N k"],
        *weights: Float[Array, "N k"],
    ) -> Float[Array, "N O"]:
        d = gather_nodes(h, neighbours) - h[:, None]
        w1_d = gather_nodes(hidden, neighbours) - hidden[:, None]
        squared = squared_norms(d)
        w1_d = w1_d * _inverse_root(jnp.mean(squared) / d.shape[-1]) if normalise else w1_d
        a = jax.nn.leaky_relu(w1_d + network.b1[None, None], slope).astype(h.dtype)
        products = [
            _row_sums(a * gather_nodes(linear(h[:, :F], network.w_left[:, s].T), neighbours))
            for s in range(r)  # each fits into a CPU's cache
        ]
        left_x = checkpoint_name(jnp.stack(products, axis=-1), "left_x")  # left_ijs . x_j
        c = left_x * linear(a, network.w_kappa, left_x.dtype)
        if delta is not None:
            c = c * attention(squared, delta)[..., None]
        if weights:
            c = c * (k * weights[0][..., None])
        sums = jnp.einsum("nkr,nkf->nrf", c.astype(h.dtype), a)
        right = network.w_right.swapaxes(0, 1)
        return linear(sums.reshape(N, -1), right.reshape(-1, right.shape[-1])) / k

    hidden = linear(h, network.w1, at_least_float32(h.dtype))
    return map_images(
        jax.checkpoint(aggregate, policy=jax.checkpoint_policies.save_only_these_names("left_x")),
        *(h, hidden, neighbours, *([] if weights is None else [weights])),
        image_bytes=h.itemsize * N * (r + 2 * k) * (h.shape[-1] + 1),
    )


def _inverse_root(x: Float[Array, ""]) -> Float[Array, ""]:
    """Return 1 / sqrt(x) without gradient; 1 for x = 0."""
    x = lax.stop_gradient(x)
    return jnp.where(x > 0, lax.rsqrt(jnp.where(x > 0, x, 1)), 1)


def _row_sums(x: Float[Array, "N k F"]) -> Float[Array, "N k"]:
    """Sum over the last axis in at least float32; a CPU is faster at products of matrices."""
    dtype = at_least_float32(x.dtype)
    return by_platform(
        x,
        cpu=lambda x: linear(x, jnp.ones((x.shape[-1], 1), x.dtype), dtype)[..., 0],
        default=lambda x: jnp.sum(x, axis=-1, dtype=dtype),
    )


class LowRankECC(nn.Module):
    """`low_rank_ecc`; gamma = 1 without `attention`, all of Theta's layers full for circulant = 1.

    `Delta` explains the rules for delta.

    w1 is initialised Glorot normal, b1 zero, and the other weights normal with the standard
    deviations of `stddevs`. `dtype` is that of the computation; None: that of the inputs.

    Example:
        >>> h, neighbours = jnp.ones((1, 3, 8)), Neighbours(jnp.array([[[1], [2], [0]]]))  # F = 6
        >>> operator = LowRankECC(features=9, rank=2, circulant=3)
        >>> variables = jax.eval_shape(operator.init, jax.random.key(0), h, neighbours)
        >>> {name: leaf.shape for name, leaf in variables["params"].items() if name != "b1"}
        {'w1': (8, 6), 'w_kappa': (6, 2), 'w_left': (6, 2, 2), 'w_right': (6, 2, 3)}
    """

    features: int
    rank: Annotated[int, Interval(1, 256)] = 11
    circulant: Annotated[int, Interval(1, 256)] = 3
    normalise: Annotated[bool, Free()] = True
    attention: Annotated[bool, Free()] = True
    delta: Annotated[float, Interval(0, 1e6, open_low=True)] = 10.0
    delta_rule: Rule = "fixed"
    slope: Annotated[float, Interval(0, 1)] = 0.2
    statistics: BatchStatistics | None = None
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(
        self, h: Float[AnyArray, "B N C"], neighbours: Neighbours
    ) -> Float[Array, "B N {self.features}"]:
        """Apply the operator.

        Raises:
            ValueError: see `check`.
        """
        C, indices, delta = h.shape[-1], neighbours.indices, None
        self.check(C - 2)
        expected = 0.38 * C if self.delta_rule == "adaptive" else self.delta
        network = LowRankNetwork(*self._parameters(C, expected if self.attention else None))
        if self.attention:
            rule = Delta(self.delta_rule, self.delta, self.statistics, name="scale")
            delta = rule(h, indices)
            sow_gamma(self, h, indices, delta)
        h, *weights = promote_dtype(h, *network, dtype=self.dtype)
        return low_rank_ecc(
            h,
            indices,
            LowRankNetwork(*weights),
            delta=delta,
            slope=self.slope,
            normalise=self.normalise,
            weights=neighbours.weights,
        )

    def _parameters(self, C: int, delta: float | None) -> list[Array]:
        F, r, m, O = C - 2, self.rank, self.circulant, self.features
        kappa, left, right = map(nn.initializers.normal, stddevs(C, r, delta))
        zeros = nn.initializers.zeros
        parameters = {
            "w1": (nn.initializers.glorot_normal(), (C, F)),
            "b1": (zeros, (F,)),
            "w_kappa": (kappa, (F, r)),
            "w_left": (left, (F, r, F // m)),
            "w_right": (right, (F, r, O // m)),
        }
        return [self.param(name, *init, float) for name, init in parameters.items()]

    def check(self, features: int) -> None:
        """Raise ValueError unless `rank` and `circulant` fit this number of features in, F."""
        if self.rank > features:
            raise ValueError(
                f"rank = {self.rank} is larger than the {features} features in: "
                f"choose 1 <= rank <= {features}"
            )
        if features % self.circulant or self.features % self.circulant:
            raise ValueError(
                f"circulant = {self.circulant} does not divide {features} features in and "
                f"{self.features} out: choose a common divisor of them, such as 1, or other widths"
            )


def stddevs(C: int, rank: int, delta: float | None) -> tuple[float, float, float]:
    """Return initial stds of w_kappa, w_left and w_right: both branches are of about the same size.

    1 / sqrt(Fh), 1 / sqrt(Fh F) and 2.8 / sqrt(Fh rank): for normalised labels, features of size 1
    and gamma = 1, each factor is about 1. For gamma, which starts lower than its value at the mean
    distance, the last one is multiplied by exp(0.38 C / delta), or 1000 if that is less.

    In the thesis's generator, with k = 8, F = 132 and 66, and delta of 10 or None, the ratios of
    the non-local to the local branch are 0.6 to 1.4 for outputs and 1.4 to 2.3 for gradients with
    respect to the features (means of 4 seeds, measured by `scripts.stability`). Both are
    proportional to the product of the three stds, so that no choice of these makes both ratios 1.
    """
    F = C - 2
    gamma = 1.0 if delta is None else max(math.exp(-0.38 * C / delta), 1e-3)
    return 1 / math.sqrt(F), 1 / F, 2.8 / (gamma * math.sqrt(F * rank))
