"""Decodes files of images, recognised by their content, and says what is wrong with others."""

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_regular

FORMATS = {  # by how a file starts
    b"\x89PNG\r\n\x1a\n": "PNG",
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
HEADER = struct.Struct(">8x4x4sIIBB")  # signature, length, "IHDR", width, height, bits, colour type
COLOURS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
MAX_PIXELS = 2**26  # 8192 x 8192
MAX_REASON = 100  # characters of Pillow's messages
REPLACE = "remove or replace it"

Size = tuple[int, int]  # width and height


class ImageError(Exception):
    """What is wrong with a file, as in "is animated", and what to do."""

    def __init__(self, problem: str, remedy: str = REPLACE) -> None:
        super().__init__(f"{problem}: {remedy}")
        self.problem = problem


class PNGHeader(NamedTuple):
    """What a PNG says of its pixels; `colours` is one of COLOURS."""

    size: Size
    bits: int
    colours: str


def open_image(path: Path) -> BufferedReader:
    """Open a regular file; raise UserError if it is none or cannot be opened."""
    try:
        return open_regular(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {REPLACE}") from None


def require_format(start: bytes, allowed: Sequence[str]) -> str:
    """Return the format of a file that starts so; raise ImageError if it is not allowed."""
    if not start:
        raise ImageError("is empty")
    found = [name for signature, name in FORMATS.items() if start.startswith(signature)]
    if found and found[0] in allowed:
        return found[0]
    kind = f"a {found[0]} file" if found else "of unknown format"
    raise ImageError(f"is {kind}, not a {' or '.join(allowed)}", "convert or remove it")


def read_png_header(start: bytes) -> PNGHeader:
    """Read the header of a PNG; raise ImageError if it is invalid or states too many pixels."""
    if len(start) < HEADER.size:
        raise ImageError("cannot be decoded (truncated header)")
    chunk, width, height, bits, colour = HEADER.unpack_from(start)
    if chunk != b"IHDR" or colour not in COLOURS or not width or not height:
        raise ImageError("cannot be decoded (invalid header)")
    require_few_pixels((width, height))
    return PNGHeader((width, height), bits, COLOURS[colour])


def require_few_pixels(size: Size) -> None:
    """Raise ImageError if an image of this size is too large to be decoded."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(f"states a size of {describe(size)}, more than {MAX_PIXELS} in total")


def describe(size: Size) -> str:
    return f"{size[0]}x{size[1]} pixels"


def decode(file: BinaryIO, format: str) -> Image.Image:
    """Decode an image that is known to be of this format.

    Raises:
        ImageError: it is too large, is animated or cannot be decoded.
    """
    with undecodable():
        image = Image.open(file, formats=(format,))
        require_few_pixels(image.size)
        # Cameras append previews to JPEGs, which are no animations.
        if format == "PNG" and getattr(image, "is_animated", False):
            raise ImageError("is animated", "replace it by a single image")
        image.load()
        return image


@contextmanager
def undecodable() -> Iterator[None]:
    """Turn all errors into ImageErrors."""
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # Pillow raises many types
        reason = str(error)[:MAX_REASON] or "corrupted"
        raise ImageError(f"cannot be decoded ({reason})") from None
