"""The real program rejects every invalid input with one line, as documented."""

from collections.abc import Iterator

import pytest

from tests.program import ROOT
from tests.reliability.invalid_input_cases import PLACES, SECTIONS
from tests.reliability.invalid_input_cases.case import Case
from tests.reliability.invalid_inputs import FORKED, Runner, rejected, row

DOCS = (ROOT / "docs" / "invalid-input.md").read_text()
SEPARATE = [case for cases in SECTIONS.values() for case in cases if case not in FORKED]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("runner"))
    yield runner
    runner.close()


def test_command_lines_and_fields_are_rejected_with_the_documented_line(runner: Runner) -> None:
    for case, (code, out, err) in zip(FORKED, runner.run_forked(FORKED), strict=True):
        assert out == "", case
        assert_rejected(case, code, err)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case in PLACES else pytest.mark.slow)
        for case in SEPARATE
    ],
)
def test_rejected_with_the_documented_line(case: Case, runner: Runner) -> None:
    code, _, err = runner.run(case)
    assert_rejected(case, code, err)


def assert_rejected(case: Case, code: int, err: str) -> None:
    assert rejected(code, err), err
    assert row(case, err) in DOCS


def test_case_names_are_unique() -> None:
    names = [case.name for cases in SECTIONS.values() for case in cases]
    assert len(names) == len(set(names)) > 100
