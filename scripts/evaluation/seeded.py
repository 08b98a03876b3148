"""Inputs that follow from a seed, for us and for torch-fidelity alike."""

import numpy as np

SIZES = ((32, 32), (19, 45), (299, 299))  # of the images that both networks look at


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Inception's, by torch's names: of a scale that keeps signals alive, statistics included."""
    random = np.random.default_rng(0)
    made = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if name.endswith("running_var") or name.endswith("bn.weight"):
            value = random.uniform(0.5, 1.5, shape)
        elif name.endswith("num_batches_tracked"):
            value = np.array(7)
        elif len(shape) > 1:
            value = random.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        else:
            value = random.normal(size=shape) / 5
        made[name] = value.astype(np.int64 if value.ndim == 0 else np.float32)
    return made


def images(size: tuple[int, int]) -> np.ndarray:
    """uint8 [2, H, W, 3]."""
    return np.random.default_rng(size).integers(0, 256, (2, *size, 3)).astype(np.uint8)


def samples() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of generated and of real samples [300, 12] and [260, 12], logits [300, 7]."""
    random = np.random.default_rng(1)
    generated = random.normal(size=(300, 12)) * np.linspace(0.5, 2, 12) + 0.3
    real = random.normal(size=(260, 12))
    return generated, real, 2 * random.normal(size=(300, 7))
