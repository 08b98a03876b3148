"""Folders of images that cannot be scored."""

import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.reliability.invalid_input_cases.case import EVALUATE, SMALL, Case


def folder(last: Callable[[Path], object] | None, size: int = 32) -> Callable[[Path], object]:
    """Return a function that creates 4,999 valid images, and a file by calling `last`."""

    def make(directory: Path) -> None:
        images = directory / "images"
        images.mkdir()
        Image.new("RGB", (size, size)).save(images / "0000.png")
        for number in range(1, 4999):
            os.link(images / "0000.png", images / f"{number:04}.png")
        if last:
            last(images / "9999.png")

    return make


def truncated_image(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-1000])


def image(mode: str, size: int = 32) -> Callable[[Path], object]:
    return lambda path: Image.new(mode, (size, size)).save(path, format="png")


def disguised(format: str) -> Callable[[Path], object]:
    """Return a function that saves an image of another format under any name."""
    return lambda path: Image.new("RGB", (32, 32)).save(path, format=format)


def postscript(path: Path) -> None:
    """Write a program that Ghostscript would run."""
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 32 32\n(x) print\nshowpage\n")


def png(width: int, height: int, bits: int, data: bytes) -> bytes:
    """Return a PNG of RGB with any header and any compressed data."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def bomb(width: int, height: int) -> Callable[[Path], object]:
    """Return a function that writes a PNG of few bytes that states a size."""
    return lambda path: path.write_bytes(png(width, height, 8, zlib.compress(bytes(100))))


def no_pixels(path: Path) -> None:
    path.write_bytes(png(32, 32, 8, b"not compressed"))


def deep(path: Path) -> None:
    """Write a PNG with 16 bits per colour."""
    path.write_bytes(png(32, 32, 16, zlib.compress(bytes(32 * (1 + 32 * 6)))))


def animated(path: Path) -> None:
    first, second = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    first.save(path, format="png", save_all=True, append_images=[second])


def socket_file(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        before = os.getcwd()
        os.chdir(path.parent)  # as the whole path may be too long for a socket
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


SCORE = " ".join([*SMALL, EVALUATE, "--images={dir}/images", "--workdir={dir}/run"])

FOLDERS = (
    Case("folder that does not exist", SCORE),
    Case("too few images", SCORE, folder(None)),
    Case("text among images", SCORE, folder(lambda path: path.write_text("not an image"))),
    Case("folder among images", SCORE, folder(Path.mkdir)),
    Case("link to nothing among images", SCORE, folder(lambda path: path.symlink_to("absent"))),
    Case("pipe among images", SCORE, folder(os.mkfifo)),
    Case("socket among images", SCORE, folder(socket_file)),
    Case(
        "link to a device among images",
        SCORE,
        folder(lambda path: path.symlink_to("/dev/zero")),
    ),
    Case("PostScript named as PNG", SCORE, folder(postscript)),
    Case("JPEG named as PNG", SCORE, folder(disguised("jpeg"))),
    Case("GIF named as PNG", SCORE, folder(disguised("gif"))),
    Case("TIFF named as PNG", SCORE, folder(disguised("tiff"))),
    Case("PNG bomb", SCORE, folder(bomb(60_000, 60_000))),
    Case("PNG without pixels", SCORE, folder(no_pixels)),
    Case("image with 16 bits per colour", SCORE, folder(deep)),
    Case("image with a palette", SCORE, folder(image("P"))),
    Case("animated image", SCORE, folder(animated)),
    Case("image cut off", SCORE, folder(truncated_image)),
    Case("grey image", SCORE, folder(image("L"))),
    Case("image with alpha", SCORE, folder(image("RGBA"))),
    Case("image of another size", SCORE, folder(image("RGB", 16))),
    Case("images of a size that the network does not accept", SCORE, folder(image("RGB", 16), 16)),
)
