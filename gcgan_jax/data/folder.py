"""Reads a folder of image files."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from gcgan_jax.errors import UserError


def read_folder(folder: Path, samples: int) -> np.ndarray:
    """Read the first images of a folder in the order of their names, uint8 [samples, H, W, 3].

    Raises:
        UserError: the folder does not exist or has too few files, or a file is not an RGB image of
            the same size as the first.
    """
    if not folder.is_dir():
        raise UserError(f"--images={folder}: no such directory")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(paths) < samples:
        raise UserError(
            f"--images={folder} has {len(paths)} images, but the protocol needs {samples}: add "
            "images, or choose another protocol with --config.eval.protocol"
        )
    first = _read_image(paths[0])
    images = np.empty((samples, *first.shape), np.uint8)
    for i, path in enumerate(paths[:samples]):
        image = _read_image(path)
        if image.shape != first.shape:
            raise UserError(
                f"{path} is {_size(image)}, but {paths[0].name} is {_size(first)}: all images must "
                "have the same size"
            )
        images[i] = image
    return images


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]} pixels"


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != "RGB":
                raise UserError(f"{path} has mode {image.mode}: convert it to RGB")
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises all of these
        reason = "unknown format" if isinstance(error, UnidentifiedImageError) else error
        raise UserError(f"{path} cannot be decoded ({reason}): remove or replace it") from None
