"""Known defects of JAX's compiler that make this program slow."""

from collections.abc import Iterator

from gcgan_jax.platforms import scatters_atomically


def known_defects(device: str, jaxlib: str) -> Iterator[str]:
    """Yield what is slow with this version of jaxlib on a kind of device, and what to do about it.

    Args:
        device: "cpu", "gpu" or "tpu".
    """
    yield from avoidable_defects(device, jaxlib)
    if device == "gpu":
        yield (
            f"jaxlib {jaxlib} may store segment sums strided, which makes them several times "
            "slower on GPUs (jax #39959): no remedy is known"
        )


def avoidable_defects(device: str, jaxlib: str) -> Iterator[str]:
    """Yield those known defects that a newer version does not have."""
    if device == "gpu" and not scatters_atomically(jaxlib):
        yield (
            f"jaxlib {jaxlib} compiles float32 scatter-adds to slow compare-and-swap loops on GPUs "
            "(jax #38806), so that the graph layers' gradients are matmuls instead: install 0.11.1 "
            "or newer, which needs Python 3.12 or newer"
        )
