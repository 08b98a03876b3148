"""Folders of images: 8-bit RGB in PNG, else one line without waiting, warnings or much memory."""

import os
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.data.folder import read_folder
from gcgan_jax.errors import UserError
from tests.reliability.invalid_input_cases.folders import (
    animated,
    bomb,
    deep,
    disguised,
    image,
    no_pixels,
    postscript,
    socket_file,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)


def test_images_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number, name in enumerate(["b.png", "a.png", "no-suffix", "c.jpg"]):
        Image.fromarray(PIXELS + np.uint8(number)).save(tmp_path / name, format="png")
    (tmp_path / ".hidden").write_text("")
    images = read_folder(tmp_path, 3)
    np.testing.assert_array_equal(images[:, 0, 0, 0] - PIXELS[0, 0, 0], [1, 0, 3])
    (tmp_path / "link").symlink_to(tmp_path / "a.png")
    assert len(read_folder(tmp_path, 5)) == 5


def interlaced(path: Path) -> None:
    """Write an Adam7-interlaced PNG of 8x8 pixels."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    passes.append((0, 1, 1, 2))
    rows = b"".join(
        b"\0" + row.tobytes() for x, y, dx, dy in passes for row in PIXELS[y::dy, x::dx]
    )
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


def test_interlaced_images_are_read(tmp_path: Path) -> None:
    interlaced(tmp_path / "image.png")
    np.testing.assert_array_equal(read_folder(tmp_path, 1)[0], PIXELS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (disguised("jpeg"), "is a JPEG file, not a PNG: convert"),
        (disguised("gif"), "is a GIF file"),
        (disguised("tiff"), "is a TIFF file"),
        (disguised("bmp"), "is a BMP file"),
        (disguised("webp"), "is a WebP file"),
        (postscript, "is a PostScript file"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"text"), "of unknown format"),
        (image("L"), "has 8-bit grey pixels: convert it to 8-bit RGB"),
        (image("LA"), "8-bit grey with alpha"),
        (image("P"), "palette pixels"),
        (image("1"), "1-bit grey"),
        (image("RGBA"), "8-bit RGB with alpha"),
        (image("I;16"), "16-bit grey"),
        (deep, "16-bit RGB"),
        (animated, "is animated"),
        (bomb(50_000, 50_000), "states a size of 50000x50000 pixels, more than 67108864"),
        (bomb(2**31 - 1, 2**31 - 1), "states a size"),
        (bomb(8, 0), "invalid header"),
        (bomb(4096, 4096), "is 4096x4096 pixels, but a.png is 32x32 pixels"),
        (no_pixels, "cannot be decoded"),
        (os.mkfifo, "is a pipe, not a file"),
        (os.mkdir, "is a directory, not a file"),
        (socket_file, "is a socket, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
        (lambda path: path.symlink_to("/absent"), r"cannot be read \(No such file"),
    ],
)
def test_other_files_are_rejected(
    make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    image("RGB")(tmp_path / "a.png")
    make(tmp_path / "b.png")
    tracemalloc.start()
    try:
        with (
            warnings.catch_warnings(action="error"),
            pytest.raises(UserError, match=message) as error,
        ):
            read_folder(tmp_path, 2)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(str(tmp_path / "b.png"))
    assert len(str(error.value)) < len(str(tmp_path)) + 200
