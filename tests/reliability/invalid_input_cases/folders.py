"""Folders of images that cannot be scored."""

import os
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
    return lambda path: Image.new(mode, (size, size)).save(path)


SCORE = " ".join([*SMALL, EVALUATE, "--images={dir}/images", "--workdir={dir}/run"])

FOLDERS = (
    Case("folder that does not exist", SCORE),
    Case("too few images", SCORE, folder(None)),
    Case("text among images", SCORE, folder(lambda path: path.write_text("not an image"))),
    Case("folder among images", SCORE, folder(Path.mkdir)),
    Case("image cut off", SCORE, folder(truncated_image)),
    Case("grey image", SCORE, folder(image("L"))),
    Case("image with alpha", SCORE, folder(image("RGBA"))),
    Case("image of another size", SCORE, folder(image("RGB", 16))),
    Case("images of a size that the network does not accept", SCORE, folder(image("RGB", 16), 16)),
)
