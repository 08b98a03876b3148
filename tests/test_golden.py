"""Training reproduces the recorded golden runs."""

import numpy as np
import pytest

from tests import golden

# In other environments sums are rounded in a different order, which training amplifies. With
# compiler optimisations (which the tests switch off) or a differently rounded learning rate, values
# changed by 0.06 (bfloat16: 0.16) within 5 entries and by 0.12 (0.22) within 20, relative to the
# largest magnitude of each metric up to then.
TOLERANCES = {5: 0.15, 20: 0.3}
FACTOR = {"bfloat16": 2}


GATE = {"quickstart": 5, "two_devices": 20}  # entries


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *GATE.items(),
        *(pytest.param(name, golden.ENTRIES, marks=pytest.mark.slow) for name in golden.RUNS),
    ],
)
def test_golden_run(name: str, count: int) -> None:
    actual, expected = golden.run(name, count), golden.recorded(name)
    assert len(expected) == golden.ENTRIES
    if golden.recorded_here(name):
        assert actual == expected[:count]
        return
    for entry, reference in zip(actual, expected[:count], strict=True):
        assert entry.keys() == reference.keys()
    for entries, tolerance in TOLERANCES.items():
        for metric in expected[0]:
            new, old = ([entry[metric] for entry in run[:entries]] for run in (actual, expected))
            atol = FACTOR.get(name, 1) * tolerance * max(map(abs, old))
            np.testing.assert_allclose(new, old[: len(new)], atol=atol)
