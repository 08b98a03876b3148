"""k-nearest-neighbour graph over the pixels of an image.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), F features, k neighbours.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int, Int32, Key

from gcgan_jax.arrays import AnyArray
from gcgan_jax.graphs.geometry import in_window
from gcgan_jax.graphs.kernel import ON_GPU, ON_TPU
from gcgan_jax.graphs.neighbours import Neighbours
from gcgan_jax.graphs.tiling import CACHE_BYTES, MEMORY_BYTES, map_images, num_tiles
from gcgan_jax.graphs.top_k import select, select_by_maxima
from gcgan_jax.platforms import by_platform
from gcgan_jax.ranges import Interval, OneOf

Nearest = Callable[..., Int32[Array, "R k"]]


@jax.named_scope("knn")
def knn(
    x: Float[AnyArray, "B H W F"], k: int, selection: str = "auto"
) -> Int32[Array, "B H*W {k}"]:
    """Return the k nearest neighbours of every pixel in feature space, outside its 3x3 window.

    Thesis 3.2.2 and 4.2: neighbours j of i have the k smallest ||h_j - h_i||^2 among all pixels
    that the local 3x3 convolution does not cover. Distances are float32 (or float64) at the highest
    matmul precision; ties go to the lower node index. No gradient flows through the graph.

    Args:
        x: features.
        k: neighbours per pixel, 1 <= k <= N - 9.
        selection: a name in SELECTIONS, all of which select the same neighbours, or "auto":
            "maxima" on CPUs, where it was measured to be fastest, and "top_k" elsewhere.

    Returns:
        Node indices, nearest first.

    Raises:
        ValueError: k is out of range, or an image side is below 4.
    """
    B, H, W, F = x.shape
    check_knn(H, W, k)
    h = lax.stop_gradient(x).reshape(B, H * W, F)
    h = h.astype(jnp.promote_types(h.dtype, jnp.float32))

    def per_image(selection: str, tile_bytes: int) -> Callable[..., Array]:
        tiles = num_tiles(H, W, tile_bytes)
        return partial(in_tiles, partial(SELECTIONS[selection], width=W, k=k), tiles)

    on_cpu = "maxima" if selection in ("auto", "kernel") else selection
    otherwise = "top_k" if selection == "auto" else selection
    return map_images(
        per_image(otherwise, MEMORY_BYTES),
        h,
        image_bytes=min(4 * (H * W) ** 2, MEMORY_BYTES),
        on_cpu=per_image(on_cpu, CACHE_BYTES),
    )


def in_tiles(nearest: Nearest, tiles: int, h: Float[Array, "N F"]) -> Int32[Array, "N k"]:
    """Compute the neighbours of one tile of an image's nodes at a time."""
    (N, F), nodes = h.shape, jnp.arange(len(h))
    if tiles == 1:
        return nearest(h, h, nodes)
    rows = h.reshape(tiles, -1, F), nodes.reshape(tiles, -1)
    return lax.map(lambda tile: nearest(h, *tile), rows).reshape(N, -1)


def nearest_by_top_k(
    h: Float[Array, "N F"], h_i: Float[Array, "R F"], i: Int[Array, "R"], *, width: int, k: int
) -> Int32[Array, "R {k}"]:
    return select(_closeness(h, h_i, i, width), k)


def nearest_by_maxima(
    h: Float[Array, "N F"], h_i: Float[Array, "R F"], i: Int[Array, "R"], *, width: int, k: int
) -> Int32[Array, "R {k}"]:
    return select_by_maxima(_closeness(h, h_i, i, width), k)


def nearest_by_kernel_if_any(
    h: Float[Array, "N F"], h_i: Float[Array, "R F"], i: Int[Array, "R"], *, width: int, k: int
) -> Int32[Array, "R {k}"]:
    """Use the kernel on GPUs and TPUs, and `nearest_by_top_k` on other platforms."""
    return by_platform(
        *(h, h_i, i),
        cuda=partial(ON_GPU, width=width, k=k),
        tpu=partial(ON_TPU, width=width, k=k),
        default=partial(nearest_by_top_k, width=width, k=k),
    )


def _closeness(
    h: Float[Array, "N F"], h_i: Float[Array, "R F"], i: Int[Array, "R"], width: int
) -> Float[Array, "R N"]:
    """Return -||h_j - h_i||^2 + ||h_i||^2, which orders j like the negative distance."""
    products = jnp.matmul(h_i, h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1)[None] - 2 * products)  # zeros are all -0: top_k sorts ±0
    return jnp.where(in_window(i, len(h), width), -jnp.inf, closeness)


# Ways to find the k nearest nodes j of some nodes i, given the features h of all.
SELECTIONS: dict[str, Nearest] = {
    "top_k": nearest_by_top_k,  # XLA's; on a TPU always, and on a GPU often, a sort
    "maxima": nearest_by_maxima,  # fastest on a CPU
    "kernel": nearest_by_kernel_if_any,  # one kernel on GPUs and TPUs; elsewhere like "auto"
}


def check_knn(height: int, width: int, k: int) -> None:
    """Raise ValueError unless every pixel has k neighbours outside its 3x3 window."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    if not 1 <= k <= height * width - 9:
        raise ValueError(
            f"k = {k} does not fit a {height}x{width} feature map: "
            f"choose 1 <= k <= {height * width - 9}"
        )


class KNN(nn.Module):
    """Connects each pixel to its k nearest in feature space, outside its 3x3 window; see `knn`."""

    k: Annotated[int, Interval(1, 2**16)] = 8
    selection: Annotated[str, OneOf(("auto", *SELECTIONS))] = "auto"

    def __call__(
        self, x: Float[AnyArray, "B H W F"], keys: Key[Array, "B"] | None = None
    ) -> Neighbours:
        """Return the neighbours; the graph is deterministic and ignores the keys."""
        return Neighbours(knn(x, self.k, self.selection))

    def check(self, height: int, width: int) -> None:
        """Raise ValueError if k does not fit a feature map of this size."""
        check_knn(height, width, self.k)
