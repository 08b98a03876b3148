"""The real program rejects every invalid input with one line, as documented."""

from collections.abc import Iterator

import pytest

from tests.program import ROOT
from tests.reliability.invalid_input_cases import COMMAND_LINE, FIELDS, PLACES, SECTIONS, Case
from tests.reliability.invalid_inputs import Runner, row

DOCS = (ROOT / "docs" / "reliability.md").read_text()
BEFORE_JAX = {*COMMAND_LINE, *FIELDS}
QUICK = {*BEFORE_JAX, *PLACES}


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("runner"))
    yield runner
    runner.close()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case in QUICK else pytest.mark.slow)
        for cases in SECTIONS.values()
        for case in cases
    ],
)
def test_rejected_with_the_documented_line(case: Case, runner: Runner) -> None:
    code, out, err = runner.run(case)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("gcgan_jax: ")
    assert out == "" or case not in BEFORE_JAX
    assert row(case, err) in DOCS


def test_case_names_are_unique() -> None:
    names = [case.name for cases in SECTIONS.values() for case in cases]
    assert len(names) == len(set(names)) > 100
