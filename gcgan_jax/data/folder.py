"""Reads a folder of PNG images, recognised by their content."""

import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_regular

PNG = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">8x4x4sIIBB")  # signature, length, "IHDR", width, height, bits, colour type
COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
OTHER_FORMATS = {
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
    b"RIFF": "WebP",
    b"%!": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
}
MAX_PIXELS = 2**24
MAX_REASON = 100  # characters of Pillow's messages

Size = tuple[int, int]  # width and height


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
                f"{path} is {_describe(size)}, but {paths[0].name} is "
                f"{_describe((width, height))}: all images must have the same size"
            )
        images[i] = _read_image(path).reshape(height, width, channels)
    return images


def _describe(size: Size) -> str:
    return f"{size[0]}x{size[1]} pixels"


def _open(path: Path) -> BinaryIO:
    try:
        return open_regular(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): remove or replace it") from None


def _read_size(path: Path, channels: int) -> Size:
    """Return the size that a PNG's header states, without decoding the image.

    Raises:
        UserError: it is not a PNG of 8-bit RGB (greys if channels = 1), or too large.
    """
    with _open(path) as file:
        header = file.read(HEADER.size)
    if not header.startswith(PNG):
        formats = [name for start, name in OTHER_FORMATS.items() if header.startswith(start)]
        kind = f"a {formats[0]} file" if formats else "of unknown format"
        raise UserError(f"{path} is {kind}, not a PNG: convert or remove it")
    if len(header) < HEADER.size:
        raise UserError(f"{path} cannot be decoded (truncated header): remove or replace it")
    chunk, width, height, bits, colour = HEADER.unpack(header)
    if chunk != b"IHDR" or colour not in COLOURS or not width or not height:
        raise UserError(f"{path} cannot be decoded (invalid header): remove or replace it")
    expected = "grey" if channels == 1 else "RGB"
    if (bits, COLOURS[colour]) != (8, expected):
        raise UserError(
            f"{path} has {bits}-bit {COLOURS[colour]} pixels: convert it to 8-bit {expected}"
        )
    if width * height > MAX_PIXELS:
        raise UserError(
            f"{path} states a size of {_describe((width, height))}, more than {MAX_PIXELS} "
            "in total: remove or replace it"
        )
    return width, height


def _read_image(path: Path) -> np.ndarray:
    """Decode a PNG.

    Raises:
        UserError: it is animated, or cannot be decoded.
    """
    try:
        with _open(path) as file, warnings.catch_warnings(action="error"):
            image = Image.open(file, formats=("PNG",))
            if getattr(image, "is_animated", False):
                raise UserError(f"{path} is animated: replace it by a single image")
            return np.asarray(image)
    except UserError:
        raise
    except Exception as error:  # Pillow raises many types
        reason = str(error)[:MAX_REASON] or "corrupted"
        raise UserError(f"{path} cannot be decoded ({reason}): remove or replace it") from None
