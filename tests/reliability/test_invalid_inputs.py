"""Everything bad that was thought of, given to the real program: one line, that of the docs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.invalid_input_cases import COMMAND_LINE, FIELDS, PLACES, SECTIONS, Case
from tests.reliability.invalid_inputs import Answers, row

DOCS = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
BEFORE_JAX = {*COMMAND_LINE, *FIELDS}
QUICK = {*BEFORE_JAX, *PLACES}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    answers = Answers(tmp_path_factory.mktemp("answers"))
    yield answers
    answers.close()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.what, marks=() if case in QUICK else pytest.mark.slow)
        for cases in SECTIONS.values()
        for case in cases
    ],
)
def test_one_line_that_of_the_docs(case: Case, answers: Answers) -> None:
    code, out, err = answers.answer(case)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("gcgan_jax: ")
    assert out == "" or case not in BEFORE_JAX
    assert row(case, err) in DOCS


def test_cases_are_many_and_differ() -> None:
    names = [case.what for cases in SECTIONS.values() for case in cases]
    assert len(names) == len(set(names)) > 100
