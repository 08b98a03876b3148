"""Folders of images that cannot be trained on."""

import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.reliability.invalid_input_cases.case import ECC, Case
from tests.reliability.invalid_input_cases.folders import (
    animated,
    bomb,
    deep,
    disguised,
    image,
    truncated_image,
)


def among_images(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a function that creates 40 images in a folder, and a file by calling `make`."""

    def prepare(directory: Path) -> None:
        images = directory / "images"
        images.mkdir()
        Image.new("RGB", (32, 32)).save(images / "00.png")
        for number in range(1, 40):
            os.link(images / "00.png", images / f"{number:02}.png")
        make(images / "99.png")

    return prepare


def empty(directory: Path) -> None:
    (directory / "images").mkdir()


def few(directory: Path) -> None:
    empty(directory)
    image("RGB")(directory / "images" / "0.png")


def cut_jpeg(path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(path, format="jpeg")
    path.write_bytes(path.read_bytes()[:-300])


TRAIN = f"{ECC} --config.data.name=folder --workdir={{dir}}/run"
FROM_FOLDER = f"{TRAIN} --config.data.dir={{dir}}/images"

IMAGE_FOLDERS = (
    Case("no training folder given", TRAIN),
    Case("training folder that does not exist", FROM_FOLDER),
    Case("training folder without images", FROM_FOLDER, empty),
    Case("training folder with one image", FROM_FOLDER, few),
    Case("training folder held out", f"{FROM_FOLDER} --config.data.folder.held_out=1.0", few),
    Case(
        "training folder with fewer images than the batch",
        f"{FROM_FOLDER} --config.batch_size=64",
        among_images(image("RGB")),
    ),
    *(
        Case(f"training folder with {what}", FROM_FOLDER, among_images(make))
        for what, make in {
            "an empty file": Path.touch,
            "a text": lambda path: path.write_text("a text"),
            "a GIF": disguised("gif"),
            "an animated image": animated,
            "16 bits per colour": deep,
            "an image smaller than image_size": image("RGB", 16),
            "a PNG bomb": bomb(60_000, 60_000),
            "a PNG cut off": truncated_image,
            "a JPEG cut off": cut_jpeg,
            "a pipe": os.mkfifo,
            "a link to a folder": lambda path: path.symlink_to(path.parent),
            "a link to a device": lambda path: path.symlink_to("/dev/zero"),
        }.items()
    ),
)
