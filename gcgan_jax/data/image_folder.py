"""Images to train on from a folder of PNGs and JPEGs of any size."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from jaxtyping import UInt8
from numpy import ndarray

from gcgan_jax.data.decode import ImageError, open_image
from gcgan_jax.data.images import Images, Progress, silently
from gcgan_jax.data.reading import read_all, read_image
from gcgan_jax.errors import UserError
from gcgan_jax.ranges import Interval

REMEDY = "set --config.data.dir=DIR to a folder of PNGs and JPEGs"


@dataclass(frozen=True)
class ImageFolder:
    """The data set of the images in a folder and its subfolders, in the order of their paths.

    If the folder has subfolders `train` and `test`, they are the splits, and whatever else is in it
    is not read. Otherwise, a share of all images is held out, at equal distances in their order.

    Attributes:
        dir: the folder, which is needed only to load the images.
        held_out: that share.
    """

    image_size: int
    channels: int = 3
    progress: Progress = silently
    dir: str | None = None
    held_out: Annotated[float, Interval(0, 1, open_low=True, open_high=True)] = 0.1

    def load(self) -> Images:
        if not self.dir:
            raise UserError(f"config.data.dir is not set: {REMEDY}")
        root = Path(self.dir)
        if not root.is_dir():
            raise UserError(f"config.data.dir = {self.dir!r}: no such directory; {REMEDY}")
        folders = [root / split for split in Images._fields]
        if all(folder.is_dir() for folder in folders):
            return Images(*(self._read(find(folder)) for folder in folders))
        train, test = split(find(root), self.held_out)
        for kind, paths in {"training": train, "held-out": test}.items():
            if not paths:
                raise UserError(
                    f"config.data.folder.held_out = {self.held_out} leaves no {kind} images of the "
                    f"{len(train) + len(test)} in {root}: choose another share, or add images"
                )
        return Images(self._read(train), self._read(test))

    def _read(self, paths: Sequence[Path]) -> UInt8[ndarray, "n H H F"]:
        shape = (len(paths), self.image_size, self.image_size, self.channels)
        return read_all(self._read_one, paths, shape, self.progress)

    def _read_one(self, path: Path) -> UInt8[ndarray, "H H F"]:
        with open_image(path) as file:
            try:
                return read_image(file, self.image_size, self.channels)
            except ImageError as error:
                raise UserError(f"{path} {error}") from None


def find(folder: Path) -> list[Path]:
    """Return the paths of all files in a folder and its subfolders, in order, but hidden ones.

    Links to folders are not followed; they are among the paths, and cannot be read as files.

    Raises:
        UserError: there are none, or a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise UserError(f"{error.filename} cannot be read ({error.strerror}): {REMEDY}")

    paths: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        paths += [Path(parent, name) for name in (*files, *links) if not name.startswith(".")]
    if not paths:
        raise UserError(f"{folder} contains no images: {REMEDY}")
    return sorted(paths)


def split(paths: Sequence[Path], held_out: float) -> tuple[list[Path], list[Path]]:
    """Split paths into training and held-out ones: i is held out if floor(s (i + 1)) > floor(s i).

    s is the share that is held out.
    """
    parts: tuple[list[Path], list[Path]] = [], []
    for i, path in enumerate(paths):
        parts[math.floor(held_out * (i + 1)) > math.floor(held_out * i)].append(path)
    return parts
