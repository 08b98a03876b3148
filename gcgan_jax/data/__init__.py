"""Registry of data sets: each provides uint8 images in a training and a held-out split."""

from gcgan_jax.data.images import Dataset
from gcgan_jax.data.npz import NPZ
from gcgan_jax.data.tfds import CIFAR10
from gcgan_jax.data.twins import ProceduralTwins

DATASETS: dict[str, type[Dataset]] = {
    "cifar10": CIFAR10,
    "npz": NPZ,
    "twins": ProceduralTwins,
}
