"""Allowed values of config fields, as in `Annotated[int, Interval(1, 9)]`, and numbers in text."""

import dataclasses
import math
import os
import re
import struct
import sys
from typing import Any

SMALLEST_NORMAL = 2.0**-126  # of float32
LONGEST_NAME, LONGEST_PATH = 255, 3840  # bytes; leaves room for the names of a run's own files


@dataclasses.dataclass(frozen=True)
class Interval:
    """Finite numbers from `low` to `high`; `open_low` and `open_high` exclude the bounds.

    A float must stay within them, and not become 0, when it is rounded to float32.
    """

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def contains(self, value: float) -> bool:
        if not self._encloses(value):
            return False
        rounded = as_float32(value) if isinstance(value, float) else value
        return self._encloses(rounded) and (rounded != 0 or value == 0)

    def explain(self, value: float) -> str:
        """Say why a value is not contained."""
        rounding = f"becomes {as_float32(value)} in float32; " if self._encloses(value) else ""
        return f"{rounding}{self}"

    def _encloses(self, value: float) -> bool:
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


@dataclasses.dataclass(frozen=True)
class LocalPath:
    """Paths of files or directories on this machine."""

    def contains(self, value: str) -> bool:
        return not self.explain(value)

    def explain(self, value: str) -> str:
        """Say why a text cannot be such a path, and what to do; "" if it can."""
        if not value:
            return "the path is empty: write one, or leave it out"
        if re.match("[A-Za-z][A-Za-z0-9+.-]*://", value):
            return "only paths on this machine are possible: copy the files here first"
        if re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", value):
            return "the path contains control characters: rename it"
        try:
            value.encode()  # libraries expect UTF-8
            path = os.fsencode(value)
        except UnicodeError:
            return f"the path is not valid UTF-8 or {sys.getfilesystemencoding()}: rename it"
        names = path.split(os.fsencode(os.sep))
        if len(path) > LONGEST_PATH or max(map(len, names)) > LONGEST_NAME:
            return f"the path is too long: at most {LONGEST_NAME} bytes a name, {LONGEST_PATH} all"
        return ""


Range = Interval | OneOf | Each | Free | LocalPath


def as_float32(value: float) -> float:
    """Round to float32 as XLA computes with it: with 0 for subnormal numbers."""
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return 0.0 if abs(rounded) < SMALLEST_NORMAL else float(rounded)


def is_whole_number(text: str) -> bool:
    """Whether `whole_number` accepts a text."""
    return re.fullmatch("0|[1-9][0-9]{0,18}", text) is not None


def whole_number(text: str) -> int:
    """Parse decimal digits without sign, spaces, underscores or leading zeros.

    Raises:
        ValueError: the text is anything else.
    """
    if not is_whole_number(text):
        raise ValueError(f"expected a whole number such as 16, got {text!r}")
    return int(text)


def shown(value: Any) -> str:
    """Return the repr of a value for a message, shortened if it is long."""
    try:
        text = repr(value)
    except Exception as error:  # an integer of thousands of digits, or any object
        return f"({type(value).__name__} that cannot be printed: {type(error).__name__})"
    return text if len(text) <= 200 else f"{text[:100]}...{text[-60:]}"
