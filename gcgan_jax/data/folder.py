"""Reads the PNGs of a folder as they are, to score them; `ImageFolder` reads images to train on."""

import warnings
from pathlib import Path

import numpy as np

from gcgan_jax.data.decode import (
    HEADER,
    ImageError,
    Size,
    decode,
    describe,
    open_image,
    read_png_header,
    require_format,
)
from gcgan_jax.errors import UserError


def read_folder(folder: Path, samples: int, channels: int = 3) -> np.ndarray:
    """Read the first images of a folder in the order of their names, uint8 [samples, H, W, F].

    Raises:
        UserError: the folder does not exist or has too few files, a file is not a PNG of 8-bit RGB
            (greys if channels = 1) of the same size as the first, or the images do not fit into
            memory.
    """
    if not folder.is_dir():
        raise UserError(f"--images={folder}: no such directory")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(paths) < samples:
        raise UserError(
            f"--images={folder} has {len(paths)} images, but the protocol needs {samples}: add "
            "images, or choose another protocol with --config.eval.protocol"
        )
    width, height = _read_size(paths[0], channels)
    try:
        images = np.empty((samples, height, width, channels), np.uint8)
    except MemoryError:
        raise UserError(
            f"--images={folder}: {samples} images of {width}x{height} pixels do not fit into "
            "memory: make them smaller, or choose another protocol with --config.eval.protocol"
        ) from None
    for i, path in enumerate(paths[:samples]):
        size = _read_size(path, channels)
        if size != (width, height):
            raise UserError(
                f"{path} is {describe(size)}, but {paths[0].name} is "
                f"{describe((width, height))}: all images must have the same size"
            )
        images[i] = _read_image(path).reshape(height, width, channels)
    return images


def _read_size(path: Path, channels: int) -> Size:
    """Return the size that a PNG's header states, without decoding the image.

    Raises:
        UserError: it is not a PNG of 8-bit RGB (greys if channels = 1), or too large.
    """
    expected = "grey" if channels == 1 else "RGB"
    with open_image(path) as file:
        start = file.read(HEADER.size)
    try:
        require_format(start, ["PNG"])
        size, bits, colours = read_png_header(start)
        if (bits, colours) != (8, expected):
            raise ImageError(f"has {bits}-bit {colours} pixels", f"convert it to 8-bit {expected}")
    except ImageError as error:
        raise UserError(f"{path} {error}") from None
    return size


def _read_image(path: Path) -> np.ndarray:
    """Decode a PNG; raise UserError if it is animated or cannot be decoded."""
    try:
        with open_image(path) as file, warnings.catch_warnings(action="error"):
            return np.asarray(decode(file, "PNG"))
    except ImageError as error:
        raise UserError(f"{path} {error}") from None
