"""Selection of the nearest nodes outside a window of pixels, in several equivalent ways.

B images, H rows, W columns, N = H * W nodes (pixels, row-major), R of which are queried at a time,
F features, k neighbours. A point set has N nodes and no pixels: all nodes but i are candidates.
"""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, Int, Int32

from gcgan_jax.graphs.geometry import in_window
from gcgan_jax.graphs.kernel import ON_GPU, ON_TPU
from gcgan_jax.graphs.tiling import CACHE_BYTES, MEMORY_BYTES, map_images, num_tiles
from gcgan_jax.graphs.top_k import select, select_by_maxima
from gcgan_jax.platforms import by_platform

Nearest = Callable[..., Int32[Array, "R k"]]


def nearest(
    h: Float[Array, "B N F"],
    queries: Float[Array, "B N F"],
    size: tuple[int, ...],
    *,
    k: int,
    exclude: int = 1,
    selection: str = "auto",
) -> Int32[Array, "B N {k}"]:
    """Return the k nodes j of smallest ||h_j - q_i||^2 for each i, nearest first.

    Distances are taken at the highest matmul precision; ties go to the lower node index.

    Args:
        h, queries: features h_j and q_i, in float32 or float64.
        size: H and W, or N alone for a point set.
        exclude: Chebyshev radius, in pixels, of the window around i that is left out.
        selection: a name in SELECTIONS, all of which select the same neighbours, or "auto":
            "maxima" on CPUs, where it was measured to be fastest, and "top_k" elsewhere.
    """
    N, width = h.shape[1], size[-1]
    if len(size) == 1:
        exclude = 0  # as in an image of one row: i alone

    def per_image(selection: str, tile_bytes: int) -> Callable[..., Array]:
        select = partial(SELECTIONS[selection], width=width, k=k, exclude=exclude)
        return partial(in_tiles, select, num_tiles(N, tile_bytes))

    on_cpu = "maxima" if selection in ("auto", "kernel") else selection
    otherwise = "top_k" if selection == "auto" else selection
    return map_images(
        per_image(otherwise, MEMORY_BYTES),
        *((h,) if queries is h else (h, queries)),
        image_bytes=min(4 * N**2, MEMORY_BYTES),
        on_cpu=per_image(on_cpu, CACHE_BYTES),
    )


def in_tiles(
    nearest: Nearest, tiles: int, h: Float[Array, "N F"], queries: Float[Array, "N F"] | None = None
) -> Int32[Array, "N k"]:
    """Compute the neighbours of one tile of an image's nodes at a time; queries None: h."""
    queries = h if queries is None else queries
    (N, F), nodes = h.shape, jnp.arange(len(h))
    if tiles == 1:
        return nearest(h, queries, nodes)
    padding = -N % tiles
    queries = jnp.pad(queries, ((0, padding), (0, 0))).reshape(tiles, -1, F)
    nodes = jnp.pad(nodes, (0, padding)).reshape(tiles, -1)
    return lax.map(lambda tile: nearest(h, *tile), (queries, nodes)).reshape(N + padding, -1)[:N]


def nearest_by(
    select_columns: Callable[[Array, int], Array],
    h: Float[Array, "N F"],
    h_i: Float[Array, "R F"],
    i: Int[Array, "R"],
    *,
    width: int,
    k: int,
    exclude: int = 1,
) -> Int32[Array, "R {k}"]:
    """Select from the array of all distances; see `graphs.top_k.select`."""
    return select_columns(_closeness(h, h_i, i, width, exclude), k)


def nearest_by_kernel_if_any(
    h: Float[Array, "N F"],
    h_i: Float[Array, "R F"],
    i: Int[Array, "R"],
    *,
    width: int,
    k: int,
    exclude: int = 1,
) -> Int32[Array, "R {k}"]:
    """Use the kernel on GPUs and TPUs, and `top_k` on other platforms."""
    return by_platform(
        *(h, h_i, i),
        cuda=partial(ON_GPU, width=width, k=k, exclude=exclude),
        tpu=partial(ON_TPU, width=width, k=k, exclude=exclude),
        default=partial(nearest_by, select, width=width, k=k, exclude=exclude),
    )


def _closeness(
    h: Float[Array, "N F"], h_i: Float[Array, "R F"], i: Int[Array, "R"], width: int, exclude: int
) -> Float[Array, "R N"]:
    """Return -||h_j - h_i||^2 + ||h_i||^2, which orders j like the negative distance."""
    products = jnp.matmul(h_i, h.T, precision=lax.Precision.HIGHEST)
    closeness = -(jnp.sum(h * h, axis=-1)[None] - 2 * products)  # zeros are all -0: top_k sorts ±0
    return jnp.where(in_window(i, len(h), width, exclude), -jnp.inf, closeness)


# Ways to find the k nearest nodes j of some nodes i, given the features h of all.
SELECTIONS: dict[str, Nearest] = {
    "top_k": partial(nearest_by, select),  # XLA's; on a TPU always, and on a GPU often, a sort
    "maxima": partial(nearest_by, select_by_maxima),  # fastest on a CPU
    "kernel": nearest_by_kernel_if_any,  # one kernel on GPUs and TPUs; elsewhere like "auto"
}


def check_candidates(size: tuple[int, ...], k: int, exclude: int = 1, dilation: int = 1) -> None:
    """Raise ValueError unless k * dilation nodes lie outside every node's window.

    `size` and `exclude` are those of `nearest`. A radius above 1 counts pixels, which a point set
    has not.
    """
    if len(size) == 1:
        candidates, shown = size[0] - 1, f"a set of {size[0]} points"
        if exclude > 1:
            raise ValueError(
                f"exclude = {exclude} is a radius in pixels, but a point set has none: choose 0, "
                "which leaves out the point itself"
            )
    else:
        height, width = size
        candidates = _pixels_outside(height, width, exclude)
        shown = f"a {height}x{width} feature map"
    if not 1 <= k * dilation <= candidates:
        named = f"k = {k}" if dilation == 1 else f"k = {k} with dilation = {dilation}"
        bound = "k" if dilation == 1 else "k * dilation"
        raise ValueError(
            f"{named} does not fit {shown}: choose 1 <= {bound} <= {candidates}"
            + (f" with exclude = {exclude}" if exclude != 1 and len(size) == 2 else "")
        )


def _pixels_outside(height: int, width: int, exclude: int) -> int:
    """Return how many pixels lie outside the largest window; raise ValueError if none do."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    candidates = height * width - min(2 * exclude + 1, height) * min(2 * exclude + 1, width)
    if not candidates:
        raise ValueError(
            f"exclude = {exclude} leaves no candidates on a {height}x{width} feature map: "
            f"choose at most {(max(height, width) - 2) // 2}"
        )
    return candidates
