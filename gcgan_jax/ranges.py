"""Allowed values of config fields, as in `Annotated[int, Interval(1, 9)]`."""

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class Interval:
    """Finite numbers from `low` to `high`; `open_low` and `open_high` exclude the bounds."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def contains(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        low = "above" if self.open_low else "at least"
        high = "below" if self.open_high else "at most"
        return f"must be {low} {self.low} and {high} {self.high}"


@dataclasses.dataclass(frozen=True)
class OneOf:
    """A fixed set of values."""

    values: tuple[str | int, ...]

    def contains(self, value: str | int) -> bool:
        return value in self.values

    def __str__(self) -> str:
        *others, last = map(repr, self.values)
        return f"choose {', '.join(others)} or {last}" if others else f"choose {last}"


@dataclasses.dataclass(frozen=True)
class Each:
    """Tuples whose length is in `lengths` and whose items are all in `interval`."""

    lengths: range
    interval: Interval

    def contains(self, value: tuple[int, ...]) -> bool:
        return len(value) in self.lengths and all(map(self.interval.contains, value))

    def __str__(self) -> str:
        shortest, longest = self.lengths[0], self.lengths[-1]
        count = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
        return f"needs {count} numbers, each of which {self.interval}"


@dataclasses.dataclass(frozen=True)
class Free:
    """Any value, such as a path."""

    def contains(self, value: Any) -> bool:
        return True


Range = Interval | OneOf | Each | Free
