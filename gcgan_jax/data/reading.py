"""Reads many images of any size in parallel, and fits them to the networks.

n images, side and channels as the networks need them.
"""

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BufferedReader, BytesIO
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image, ImageOps

from gcgan_jax.data.decode import (
    HEADER,
    ImageError,
    decode,
    describe,
    read_png_header,
    require_format,
    undecodable,
)
from gcgan_jax.data.fitting import fit
from gcgan_jax.data.images import Progress
from gcgan_jax.errors import UserError

THREADS = min(8, os.cpu_count() or 1)  # Pillow decodes without Python's global lock
AHEAD = 4  # images per thread that are read before they are needed

T = TypeVar("T")


def read_all(
    read: Callable[[T], UInt8[ndarray, "side side F"]],
    items: Iterable[T],
    shape: tuple[int, int, int, int],
    progress: Progress,
) -> UInt8[ndarray, "n side side F"]:
    """Read the images of n items in threads, in order, with the progress of long readings.

    Args:
        read: reads the image of an item.
        shape: shape of the result.

    Raises:
        UserError: the images do not fit into memory, or `read` raised it.
        ValueError: there are fewer or more of them than n.
    """
    n = shape[0]
    try:
        images = np.empty(shape, np.uint8)
    except (MemoryError, ValueError):
        raise UserError(
            f"{n} images of {describe((shape[2], shape[1]))} do not fit into memory: reduce "
            "config.data.image_size, or use fewer images"
        ) from None
    with warnings.catch_warnings(action="ignore"):  # what Pillow can decode is used
        count = 0
        for image in progress(in_threads(read, items), n, "images"):
            if count < n:
                images[count] = image
            count += 1
    if count != n:
        raise ValueError(f"it has {count} images, but states {n}")
    return images


def read_image(
    file: BufferedReader | BytesIO, side: int, channels: int
) -> UInt8[ndarray, "{side} {side} {channels}"]:
    """Decode a PNG or JPEG, upright, and fit it.

    Raises:
        ImageError: it is of another format, has more than 8 bits a channel, is animated, too large,
            or smaller than side x side, or cannot be decoded.
    """
    start = file.read(HEADER.size)
    format = require_format(start, ["PNG", "JPEG"])
    if format == "PNG" and read_png_header(start).bits > 8:
        raise ImageError("has 16 bits per channel", "convert it to 8 bits")
    file.seek(0)
    image = decode(file, format)
    if min(image.size) < side:
        raise ImageError(
            f"is {describe(image.size)}, smaller than config.data.image_size = {side}",
            "remove it, or choose a smaller image_size",
        )
    with undecodable():
        ImageOps.exif_transpose(image, in_place=True)
        pixels = np.asarray(_simplified(image))
    return fit(pixels.reshape(*pixels.shape[:2], -1), side, channels)


def read_bytes(
    content: bytes, side: int, channels: int
) -> UInt8[ndarray, "{side} {side} {channels}"]:
    """Read an image that is in memory, see `read_image`."""
    return read_image(BytesIO(content), side, channels)


def in_threads(function: Callable[[T], ndarray], items: Iterable[T]) -> Iterator[ndarray]:
    """Map a function over items in threads; the results are in order, and few wait for their turn.

    An error ends the iteration at the item that it belongs to.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        pending: deque[Future[ndarray]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > AHEAD * THREADS:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _simplified(image: Image.Image) -> Image.Image:
    """Convert palettes, CMYK and transparency of any kind to greys, RGB, or RGB with alpha."""
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
