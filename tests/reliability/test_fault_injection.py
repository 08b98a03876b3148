"""Inject each fault once into real runs; fast tests cover the same code within one process."""

from collections.abc import Iterator

import pytest

from tests.reliability.fault_injection import FAULTS, FLAGS, Fault, inject
from tests.reliability.faults.runs import Runs

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("faults"), FLAGS, iterations=80)
    yield runs
    runs.program.close()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_survives(fault: Fault, runs: Runs) -> None:
    trials, survived, seen = inject(fault, runs, times=1)
    assert survived == trials > 0, seen
