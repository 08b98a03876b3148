"""Seeded inputs for gcgan_jax and torch-fidelity."""

import numpy as np

SIZES = ((32, 32), (19, 45), (299, 299))  # of images for both networks


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return Inception's weights and statistics by torch's names; activations keep their scale."""
    rng = np.random.default_rng(0)
    values = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if name.endswith("running_var") or name.endswith("bn.weight"):
            value = rng.uniform(0.5, 1.5, shape)
        elif name.endswith("num_batches_tracked"):
            value = np.array(7)
        elif len(shape) > 1:
            value = rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        else:
            value = rng.normal(size=shape) / 5
        values[name] = value.astype(np.int64 if value.ndim == 0 else np.float32)
    return values


def images(size: tuple[int, int]) -> np.ndarray:
    """Return two random images, uint8 [2, H, W, 3]."""
    return np.random.default_rng(size).integers(0, 256, (2, *size, 3)).astype(np.uint8)


def samples() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features of generated [300, 12] and real samples [260, 12], and logits [300, 7]."""
    rng = np.random.default_rng(1)
    generated = rng.normal(size=(300, 12)) * np.linspace(0.5, 2, 12) + 0.3
    real = rng.normal(size=(260, 12))
    return generated, real, 2 * rng.normal(size=(300, 7))
