"""Registry of data sets: each provides uint8 images in a training and a held-out split."""

from gcgan_jax.data.echo import Echo
from gcgan_jax.data.far_echo import FarEcho
from gcgan_jax.data.image_folder import ImageFolder
from gcgan_jax.data.images import Dataset
from gcgan_jax.data.mirror import Mirror
from gcgan_jax.data.npz import NPZ
from gcgan_jax.data.palette import Palette
from gcgan_jax.data.parity import Parity
from gcgan_jax.data.tfds import CIFAR10, TFDS
from gcgan_jax.data.twins import ProceduralTwins

DATASETS: dict[str, type[Dataset]] = {
    "cifar10": CIFAR10,
    "npz": NPZ,
    "folder": ImageFolder,
    "tfds:NAME": TFDS,
    "twins": ProceduralTwins,
    "echo": Echo,
    "far_echo": FarEcho,
    "parity": Parity,
    "mirror": Mirror,
    "palette": Palette,
}
