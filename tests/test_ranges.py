"""Ranges after rounding to float32, and whole numbers in text."""

import math

import pytest

from gcgan_jax.ranges import Interval, as_float32, whole_number

POSITIVE = Interval(0, 1e6, open_low=True)
DECAY = Interval(0, 1, open_high=True)


@pytest.mark.parametrize(
    ("interval", "value", "expected"),
    [
        (POSITIVE, 1e-300, False),
        (POSITIVE, 1e-40, False),  # subnormal in float32
        (POSITIVE, 2.0**-126, True),
        (DECAY, 1 - 1e-9, False),
        (DECAY, 1 - 1e-7, True),
        (DECAY, 0.0, True),
        (DECAY, -0.0, True),
        (DECAY, 1e-60, False),  # not the value that was asked for
        (DECAY, math.nan, False),
        (Interval(0, 1e300), 1e39, False),  # infinite in float32
        (Interval(1, 2**31 - 1), 2**31 - 1, True),  # integers are exact
    ],
)
def test_floats_must_stay_in_range_in_float32(
    interval: Interval, value: float, expected: bool
) -> None:
    assert interval.contains(value) is expected


def test_rounding_to_float32() -> None:
    assert as_float32(0.1) == 0.100000001490116119384765625
    assert as_float32(-1e300) == -math.inf
    assert as_float32(-1e-39) == 0


@pytest.mark.parametrize("text", ["0", "8", "16", "100"])
def test_whole_number(text: str) -> None:
    assert whole_number(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "+16", "-1", "016", " 16", "16 ", "16\n", "1_6", "1e1", "\u0661\u0666", "\u00b2"]
)
def test_other_spellings_of_numbers_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a whole number"):
        whole_number(text)
