"""The benchmark's cases, and errors for unknown ones."""

import pytest

from gcgan_jax.experiment import make_experiment
from gcgan_jax.experiment.networks import graph_blocks
from scripts.benchmark import __main__ as benchmark
from scripts.benchmark.cases import MATMUL, all_cases, blocks, config_of, parse, quick_cases


def test_parsing_inverts_case_names() -> None:
    for case in [*all_cases(), *quick_cases(), MATMUL]:
        assert parse(str(case)) == case


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "iteration:gat:8@8",
            "iteration is not measured for 'gat': use one of baseline, edge_conv, ecc",
        ),
        ("gradient:knn:8@8", "gradient is not measured for 'knn': use one of edge_conv, ecc"),
        (
            "backward:ecc:8@8",
            "unknown task 'backward': use one of iteration, sampling, forward, gradient, matmul",
        ),
        ("iteration:ecc@8", "ecc needs a number of neighbours: add k"),
        ("iteration:baseline:8@8", "baseline has no neighbours: omit k"),
        ("iteration:*@9", "is not a case: expected a name such as iteration:ecc:8@32"),
    ],
)
def test_unknown_cases_are_one_line_errors(name: str, message: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        benchmark.main([f"--cases={name}"])
    line = exit_.value.code
    assert isinstance(line, str)  # printed, with exit code 1
    assert line.startswith(f"benchmark: '{name}'") and message in line and "\n" not in line


@pytest.mark.parametrize("name", ["iteration:baseline@8", "iteration:edge_conv:8@8"])
def test_blocks_match_the_experiment(name: str) -> None:
    experiment = make_experiment(config_of(parse(name)))
    actual = blocks(experiment.config)
    assert tuple(block.number for block in actual if block.graph) == graph_blocks(experiment.config)
    assert actual[-1].side == experiment.config.data.image_size
    assert len(actual) == experiment.gan.generator.blocks
