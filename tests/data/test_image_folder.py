"""Folders of images to train on: PNGs and JPEGs of any size, and one line for all others."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.headroom import headroom
from gcgan_jax.data.fitting import fit
from gcgan_jax.data.image_folder import ImageFolder, split
from gcgan_jax.errors import UserError
from tests.conftest import Tiny
from tests.reliability.invalid_input_cases.folders import (
    animated,
    bomb,
    deep,
    disguised,
    image,
    no_pixels,
    socket_file,
    truncated_image,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 36, 4), np.uint8)
RGB = Image.fromarray(PIXELS[..., :3])


def read(folder: Path, channels: int = 3) -> np.ndarray:
    """Return the training images of a folder: all but every second one."""
    return ImageFolder(16, channels, dir=str(folder), held_out=0.5).load().train


def saved(folder: Path, picture: Image.Image, **options: object) -> Path:
    """Save a picture twice, as one is held out."""
    for name in ("0", "1"):
        picture.save(folder / name, **{"format": "png"} | options)
    return folder


def test_the_splits_follow_the_order_of_the_paths(tmp_path: Path) -> None:
    for number, name in enumerate(["b.png", "a/2.png", "a/1.jpg", "c", "a/.hidden", ".d/e.png"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        grey = Image.new("L", (17 + number, 30), 10 * number)
        grey.save(tmp_path / name, format="jpeg" if "jpg" in name else "png")
    images = ImageFolder(16, 1, dir=str(tmp_path), held_out=0.25).load()
    assert images.train[:, 0, 0, 0].tolist() == [20, 10, 0]
    assert images.test[:, 0, 0, 0].tolist() == [30]
    for name, value in (("train", 7), ("test", 9)):
        (tmp_path / name).mkdir()
        Image.new("L", (16, 16), value).save(tmp_path / name / "image.png")
    images = ImageFolder(16, 1, dir=str(tmp_path)).load()
    assert [split.flatten()[0] for split in images] == [7, 9] and len(images.train) == 1


def test_shares_are_held_out_at_equal_distances() -> None:
    train, test = split([Path(str(n)) for n in range(25)], 0.1)
    assert (len(train), [path.name for path in test]) == (23, ["9", "19"])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("RGB", PIXELS[..., :3]),
        ("L", PIXELS[..., :1]),
        ("RGBA", PIXELS),
        ("LA", PIXELS[..., [0, 0, 0, 1]]),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_modes_of_pngs(mode: str, expected: np.ndarray, channels: int, tmp_path: Path) -> None:
    pixels = {"L": PIXELS[..., 0], "LA": PIXELS[..., :2]}.get(mode, expected)
    folder = saved(tmp_path, Image.fromarray(pixels, mode=None))
    np.testing.assert_array_equal(read(folder, channels)[0], fit(expected, 16, channels))


def test_palettes_transparent_colours_and_bits(tmp_path: Path) -> None:
    palette = RGB.quantize(8)
    palette.info["transparency"] = 3
    expected = fit(np.asarray(palette.convert("RGBA")), 16, 3)
    np.testing.assert_array_equal(read(saved(tmp_path, palette, transparency=3))[0], expected)
    bits = RGB.convert("1")
    expected = fit(np.asarray(bits.convert("L"))[..., None], 16, 3)
    np.testing.assert_array_equal(read(saved(tmp_path, bits))[0], expected)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_jpegs_are_upright(mode: str, tmp_path: Path) -> None:
    smooth = RGB.resize((4, 4)).resize((40, 36), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise
    stored = smooth.convert(mode)
    images = read(saved(tmp_path, stored, format="jpeg", quality=100, exif=exif.tobytes()))
    upright = np.rot90(np.asarray(stored.convert("RGB")), -1)
    assert np.abs(images[0].astype(int) - fit(upright, 16, 3)).mean() < 3


def test_headroom_of_a_folder(tiny: Tiny, tmp_path: Path) -> None:
    for number in range(40):
        Image.fromarray(np.roll(PIXELS[..., :3], number, 0)).save(tmp_path / f"{number}.png")
    folder = {"data__name": "folder", "data__dir": str(tmp_path), "data__channels": 1}
    experiment = tiny(**folder, data__folder__held_out=0.25, show__headroom_images=10)
    with warnings.catch_warnings(action="error"):
        headroom(experiment, tmp_path / "run")
    assert '"data": "folder"' in (tmp_path / "run" / "headroom.json").read_text()


def cut_jpeg(path: Path) -> None:
    RGB.save(path, format="jpeg")
    path.write_bytes(path.read_bytes()[:-300])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("text"), "is of unknown format, not a PNG or JPEG: convert"),
        (lambda path: path.write_bytes(b""), "is empty: remove or replace it"),
        (disguised("gif"), "is a GIF file, not a PNG or JPEG"),
        (animated, "is animated: replace it by a single image"),
        (deep, "has 16 bits per channel: convert it to 8 bits"),
        (image("I;16"), "has 16 bits per channel"),
        (image("RGB", 15), r"is 15x15 pixels, smaller than config\.data\.image_size = 16: remove"),
        (bomb(50_000, 50_000), "states a size of 50000x50000 pixels, more than 67108864"),
        (no_pixels, "cannot be decoded"),
        (truncated_image, r"cannot be decoded \(image file is truncated"),
        (cut_jpeg, r"cannot be decoded \(image file is truncated"),
        (lambda path: path.write_bytes(b"\xff\xd8\xff"), "cannot be decoded"),
        (os.mkfifo, "is a pipe, not a file"),
        (socket_file, "is a socket, not a file"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
        (lambda path: path.symlink_to("/absent"), r"cannot be read \(No such file"),
        (lambda path: path.symlink_to(path.parent), "is a directory, not a file"),
    ],
)
def test_other_files_are_refused(
    make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    for name in "acde":
        image("RGB")(tmp_path / f"{name}.png")
    make(tmp_path / "b.png")
    with pytest.raises(UserError, match=message) as error:
        ImageFolder(16, dir=str(tmp_path), held_out=0.3).load()
    assert str(error.value).startswith(str(tmp_path / "b.png")) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (None, r"config\.data\.dir is not set: set --config\.data\.dir=DIR"),
        ("absent", r"config\.data\.dir = '.*absent': no such directory; set --config\.data\.dir"),
        ("empty", "empty contains no images: set"),
        ("one", r"held_out = 0\.1 leaves no held-out images of the 1 in .*one: choose another"),
    ],
)
def test_folders_without_images(folder: str | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    image("RGB")(tmp_path / "one" / "image.png")
    with pytest.raises(UserError, match=message):
        ImageFolder(16, dir=folder and str(tmp_path / folder)).load()
