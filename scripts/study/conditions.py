"""The study's rules, fixed beforehand, of what is worth running next."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.study.jobs import Results


@dataclass(frozen=True)
class CriticSees:
    """A critic alone must tell real images from independent cells.

    Attributes:
        run, arm: the critic trained alone.
        at_least: mean over seeds of its d' on held-out images.
    """

    run: str
    arm: str
    at_least: float

    def unmet(self, results: Results) -> str:
        found = [result["d_prime"] for result in results.of(self.run, self.arm)]
        if not found:
            return f"waits for {self.run}, {self.arm}"
        mean = sum(found) / len(found)
        if mean >= self.at_least:
            return ""
        return (
            f"left out: a critic alone does not see it: d' = {mean:.2f} in {self.run}, {self.arm}"
        )


@dataclass(frozen=True)
class Agreed:
    """An arm must have carried agreement in each seed that it was run with.

    Attributes:
        run, arm: where it did.
        seeds: the least number of seeds.
        above: agreement of samples.
    """

    run: str
    arm: str
    seeds: int
    above: float

    def unmet(self, results: Results) -> str:
        found = _agreements(results.of(self.run, self.arm))
        if any(agreement <= self.above for agreement in found):
            return f"left out: {self.run}, {self.arm} did not exceed {self.above} in each seed"
        if len(found) < self.seeds:
            return f"waits for more seeds of {self.run}, {self.arm}"
        return ""


@dataclass(frozen=True)
class StayedAtNull:
    """An arm must have failed, see `Agreed`, so that a longer run is due before it is given up."""

    run: str
    arm: str
    seeds: int
    above: float

    def unmet(self, results: Results) -> str:
        found = _agreements(results.of(self.run, self.arm))
        if len(found) < self.seeds:
            return f"waits for more seeds of {self.run}, {self.arm}"
        if min(found) > self.above:
            return f"left out: {self.run}, {self.arm} exceeded {self.above} in each seed"
        return ""


def _agreements(results: list[Mapping[str, Any]]) -> list[float]:
    return [result["scores"]["agreement"] for result in results]
