"""Data sets by name: any source gives uint8 images, to train on and held out."""

from gcgan_jax.data.images import Dataset
from gcgan_jax.data.tfds import CIFAR10
from gcgan_jax.data.twins import ProceduralTwins

DATASETS: dict[str, type[Dataset]] = {"cifar10": CIFAR10, "twins": ProceduralTwins}
