"""CIFAR-10 with labels, from a prepared TFDS directory."""

import numpy as np
import tensorflow_datasets as tfds


def load(directory: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8 [n, 32, 32, 3], and labels [n]."""
    loaded = tfds.load("cifar10", split=split, data_dir=directory, download=False, batch_size=-1)
    return loaded["image"].numpy(), loaded["label"].numpy()
