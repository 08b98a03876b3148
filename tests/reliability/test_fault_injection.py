"""Each fault of the drill once, on real runs; the tests that are not slow have its parts."""

from collections.abc import Iterator

import pytest

from tests.reliability.fault_injection import FAULTS, QUICKSTART, Fault, play
from tests.reliability.faults.runs import Runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("drill"), QUICKSTART, iterations=80)
    yield runs
    runs.program.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_survived(fault: Fault, runs: Runs) -> None:
    tried, survived, seen = play(fault, runs, times=1)
    assert survived == tried > 0, seen
