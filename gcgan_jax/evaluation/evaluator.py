"""Scores of a generator, and of a folder of images."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from flax.typing import VariableDict
from jax import Array

from gcgan_jax.data.folder import read_folder
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.features import in_batches
from gcgan_jax.evaluation.protocol import Provenance
from gcgan_jax.evaluation.results import Record, Value, versions
from gcgan_jax.evaluation.scorers import Scorer
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import Models


@dataclass(frozen=True)
class Evaluator:
    """Scores images by one scorer, on the devices of this process.

    Attributes:
        key: of the latents, which follow from `seed`.
        provenance: of a generator's scores.
    """

    scorer: Scorer
    sampler: Sampler
    key: Array
    seed: int
    provenance: Provenance

    def score(
        self, models: Models, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Record]:
        """Of the generator; then, if one is kept, of its average.

        Args:
            should_stop: asked after each batch of images; once it says so, there are no scores.
        """
        variables_by_ema = {False: models.generator}
        if models.ema:
            variables_by_ema[True] = models.ema
        records = []
        for ema, variables in variables_by_ema.items():
            scores = self._score_generator(variables, should_stop)
            if scores is None:
                return []
            records += [
                self._record(name, value, ema=ema, step=models.iteration)
                for name, value in scores.items()
            ]
        return records

    def score_folder(self, folder: Path) -> list[Record]:
        """Of the first images of a folder, in the order of their names.

        Raises:
            UserError: too few, or a file that is no image of one and the same size.
        """
        images = read_folder(folder, self.provenance.samples)
        _, H, W, _ = images.shape
        if self.scorer.side and (self.scorer.side, self.scorer.side) != (H, W):
            raise UserError(
                f"--images={folder} has images of {W}x{H} pixels, config.eval.network = "
                f"{self.scorer.network!r} takes a side of {self.scorer.side}: choose 'inception'"
            )
        sampler = self.sampler
        scores = self.scorer.score(in_batches(images, sampler.batch_size, len(sampler.devices)))
        assert scores is not None  # there are enough
        provenance = replace(self.provenance, batch_norm=None)
        return [
            replace(
                self._record(name, value, ema=None, step=None),
                images=str(folder),
                seed=None,
                provenance=provenance,
            )
            for name, value in scores.items()
        ]

    def best(self, records: Iterable[Record]) -> float:
        """The value by which checkpoints compete, the lower the better: of the average if kept.

        Infinite if none of the records may be compared with this evaluator's.
        """
        values = [
            record.value
            for record in records
            if record.score == self.scorer.best and record.provenance == self.provenance
        ]
        return values[-1] if values else math.inf

    def _score_generator(
        self, variables: VariableDict, should_stop: Callable[[], bool]
    ) -> dict[str, Value] | None:
        batches = self.sampler.stream(variables, self.key, self.provenance.samples)
        return self.scorer.score(takewhile(lambda _: not should_stop(), batches))

    def _record(self, name: str, found: Value, *, ema: bool | None, step: int | None) -> Record:
        return Record(
            score=name,
            value=found.value,
            std=found.std,
            images="generator",
            seed=self.seed,
            ema=ema,
            step=step,
            versions=versions(),
            provenance=self.provenance,
        )
