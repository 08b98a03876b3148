"""Ranges of the fields that a config sets, as in `Annotated[int, Interval(1, 9)]`."""

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class Interval:
    """Finite numbers from `low` to `high`; `open_low`, `open_high`: without these themselves."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        low = "above" if self.open_low else "at least"
        high = "below" if self.open_high else "at most"
        return f"must be {low} {self.low} and {high} {self.high}"


@dataclasses.dataclass(frozen=True)
class OneOf:
    values: tuple[str | int, ...]

    def holds(self, value: str | int) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"choose {' or '.join(map(repr, self.values))}"


@dataclasses.dataclass(frozen=True)
class Each:
    """A tuple, of one of these lengths, of numbers in an interval."""

    lengths: range
    interval: Interval

    def holds(self, value: tuple[int, ...]) -> bool:
        return len(value) in self.lengths and all(map(self.interval.holds, value))

    def __str__(self) -> str:
        few, many = self.lengths[0], self.lengths[-1]
        count = f"{few}" if few == many else f"{few} to {many}"
        return f"needs {count} numbers, which {self.interval}"


@dataclasses.dataclass(frozen=True)
class Free:
    """Anything, such as a path."""

    def holds(self, value: Any) -> bool:
        return True


Range = Interval | OneOf | Each | Free
