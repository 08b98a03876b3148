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
    """Scores images with one scorer, on the devices of this process.

    Attributes:
        key: key of the latents, derived from `seed`.
        provenance: provenance of a generator's scores.
    """

    scorer: Scorer
    sampler: Sampler
    key: Array
    seed: int
    provenance: Provenance

    def score(
        self, models: Models, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Record]:
        """Score the generator, then its EMA if there is one.

        Args:
            should_stop: polled after each batch of images; once true, no scores are returned.
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
        """Score the first images of a folder, in the order of their names.

        Raises:
            UserError: there are too few, of different or unsuitable sizes, or they cannot be read.
        """
        images = read_folder(folder, self.provenance.samples, self.sampler.channels)
        _, H, W, _ = images.shape
        if self.scorer.side and (self.scorer.side, self.scorer.side) != (H, W):
            raise UserError(
                f"--images={folder} has images of {W}x{H} pixels, but config.eval.network = "
                f"{self.scorer.network!r} needs {self.scorer.side}x{self.scorer.side}: "
                "choose 'inception'"
            )
        sampler = self.sampler
        scores = self.scorer.score(in_batches(images, sampler.batch_size, len(sampler.devices)))
        assert scores is not None  # read_folder returned enough images
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
        """Return the score that selects the best checkpoint (lower is better), of the EMA if any.

        It is infinite if no record has the provenance of this evaluator.
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

    def _record(self, name: str, score: Value, *, ema: bool | None, step: int | None) -> Record:
        return Record(
            score=name,
            value=score.value,
            std=score.std,
            images="generator",
            seed=self.seed,
            ema=ema,
            step=step,
            versions=versions(),
            provenance=self.provenance,
        )
