"""Scores of a generator, and of a folder of images."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from PIL import Image, UnidentifiedImageError

from gcgan_jax.config import Config
from gcgan_jax.data import Images
from gcgan_jax.draws import streams
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.features import in_batches
from gcgan_jax.evaluation.protocol import PROTOCOLS, Protocol, Record, versions
from gcgan_jax.evaluation.reference import digest_of
from gcgan_jax.evaluation.scorers import Scorer, make_scorer
from gcgan_jax.generate import Batch, make_generate
from gcgan_jax.state import State

Tree = Any


class Evaluator(NamedTuple):
    """Scores images under the config's protocol, on the devices of this process."""

    config: Config
    protocol: Protocol
    devices: Sequence[jax.Device]
    scorer: Scorer
    data: str
    generate: Callable[[Tree], Iterator[Array]]

    def of_state(self, state: State) -> list[Record]:
        """Of the generator; then, if one is kept, of its average over iterations."""
        models = {False: state.generator_variables}
        if state.average:
            models[True] = state.average
        made = {
            "images": "generator",
            "seed": self.config.seed,
            "batch_norm": self.config.eval.batch_norm,
            "step": int(state.iteration),
        }
        return [
            record
            for ema, variables in models.items()
            for record in self._records(self.generate(variables), ema=ema, **made)
        ]

    def of_folder(self, folder: Path) -> list[Record]:
        """Of the first images of a folder, in the order of their names.

        Raises:
            UserError: too few, or a file that is no image of one and the same size.
        """
        images = read_folder(folder, self.protocol.samples)
        if self.scorer.side and images.shape[1:3] != 2 * (self.scorer.side,):
            raise UserError(
                f"--images={folder} has images of {_size(images[0])}, config.eval.network = "
                f"{self.scorer.network!r} takes a side of {self.scorer.side}: choose 'inception'"
            )
        batches = in_batches(images, self.config.eval.batch_size, len(self.devices))
        made = {"images": str(folder), "seed": None, "batch_norm": None, "step": None, "ema": None}
        return self._records(batches, **made)

    def best(self, records: Iterable[Record]) -> float:
        """The value by which checkpoints compete, the lower the better: of the average if kept.

        Infinite if no record was obtained in this evaluator's way.
        """
        way = self._way() | {"batch_norm": self.config.eval.batch_norm}
        values = [
            record.value
            for record in records
            if record.score == self.scorer.best
            and all(getattr(record, name) == value for name, value in way.items())
        ]
        return values[-1] if values else math.inf

    def _records(self, batches: Iterable[Batch], **made: Any) -> list[Record]:
        return [
            Record(name, found.value, found.spread, versions=versions(), **self._way(), **made)
            for name, found in self.scorer.score(batches).items()
        ]

    def _way(self) -> dict[str, Any]:
        """The fields of a record that are the same for all images."""
        return {
            "network": self.scorer.network,
            "weights": self.scorer.weights,
            "protocol": self.protocol.name,
            "samples": self.protocol.samples,
            "splits": self.protocol.splits,
            "data": self.data,
            "split": self.config.eval.split,
        }


def make_evaluator(config: Config, images: Images, devices: Sequence[jax.Device]) -> Evaluator:
    """The evaluator of a config, which compares with `images`.

    Raises:
        UserError: the batch does not divide by the devices, or see `make_scorer`.
    """
    protocol = PROTOCOLS[config.eval.protocol]
    real = images.test if config.eval.split == "test" else images.train
    digest = digest_of(real)
    return Evaluator(
        config,
        protocol,
        devices,
        make_scorer(config, real, digest, protocol, devices),
        f"{config.data.name} {digest}",
        make_generate(config, streams(config.seed).scoring, protocol.samples, devices),
    )


def read_folder(folder: Path, samples: int) -> np.ndarray:
    """The first images of a folder by name, uint8 [samples, H, W, 3].

    Raises:
        UserError: no such folder, too few files, or one that is no RGB image of the first one's
            size.
    """
    if not folder.is_dir():
        raise UserError(f"--images={folder}: no such directory")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if len(paths) < samples:
        raise UserError(
            f"--images={folder} has {len(paths)} images, the protocol needs {samples}: choose "
            "another with --config.eval.protocol, or add images"
        )
    first = _read_image(paths[0])
    images = np.empty((samples, *first.shape), np.uint8)
    for place, path in zip(images, paths, strict=False):
        image = _read_image(path)
        if image.shape != first.shape:
            raise UserError(
                f"{path} is {_size(image)}, {paths[0].name} is {_size(first)}: all images must be "
                "of one size"
            )
        place[:] = image
    return images


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]}x{image.shape[0]} pixels"


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != "RGB":
                raise UserError(f"{path} is of mode {image.mode}: convert it to RGB")
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's many ways to say so
        told = "not recognised" if isinstance(error, UnidentifiedImageError) else error
        raise UserError(f"{path} is no whole image ({told}): remove it or mend it") from None
