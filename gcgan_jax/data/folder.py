"""Images from a folder of image files."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from gcgan_jax.errors import UserError


def read_folder(folder: Path, samples: int) -> np.ndarray:
    """The first images of a folder by name, uint8 [samples, H, W, 3].

    Raises:
        UserError: no such folder, too few files, or one that is no RGB image of the first one's
            size.
    """
    if not folder.is_dir():
        raise UserError(f"--images={folder}: no such directory")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(paths) < samples:
        raise UserError(
            f"--images={folder} has {len(paths)} images, the protocol needs {samples}: choose "
            "another with --config.eval.protocol, or add images"
        )
    first = _read_image(paths[0])
    images = np.empty((samples, *first.shape), np.uint8)
    for place, path in zip(images, paths, strict=False):
        image = _read_image(path)
        if image.shape != first.shape:
            raise UserError(
                f"{path} is {_size(image)}, {paths[0].name} is {_size(first)}: all images must be "
                "of one size"
            )
        place[:] = image
    return images


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]} pixels"


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != "RGB":
                raise UserError(f"{path} is of mode {image.mode}: convert it to RGB")
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's many ways to say so
        told = "not recognised" if isinstance(error, UnidentifiedImageError) else error
        raise UserError(f"{path} is no whole image ({told}): remove it or mend it") from None
