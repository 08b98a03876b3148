"""The benchmark's cases: their names, and what is not measured."""

import pytest

from gcgan_jax.experiment import make_experiment
from gcgan_jax.experiment.networks import graph_blocks
from scripts.benchmark import __main__ as benchmark
from scripts.benchmark.cases import MATMUL, all_cases, blocks, config_of, parse, quick_cases


def test_a_case_is_named_by_its_parts() -> None:
    for case in [*all_cases(), *quick_cases(), MATMUL]:
        assert parse(str(case)) == case


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("iteration:gat:8@8", "no iteration of 'gat'; there are baseline, edge_conv, ecc"),
        ("gradient:knn:8@8", "no gradient of 'knn'; there are edge_conv, ecc"),
        (
            "backward:ecc:8@8",
            "'backward' is not measured; there are iteration, sampling, forward, gradient, matmul",
        ),
        ("iteration:ecc@8", "ecc needs its number of neighbours"),
        ("iteration:baseline:8@8", "baseline has no neighbours"),
        ("iteration:*@9", "is no case: name one as iteration:ecc:8@32"),
    ],
)
def test_an_unknown_case_is_one_line(name: str, message: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        benchmark.main([f"--cases={name}"])
    line = stopped.value.code
    assert isinstance(line, str)  # printed, with exit code 1
    assert line.startswith(f"benchmark: '{name}'") and message in line and "\n" not in line


@pytest.mark.parametrize("name", ["iteration:baseline@8", "iteration:edge_conv:8@8"])
def test_blocks_are_those_of_the_experiment(name: str) -> None:
    experiment = make_experiment(config_of(parse(name)))
    found = blocks(experiment.config)
    assert tuple(block.number for block in found if block.graph) == graph_blocks(experiment.config)
    assert found[-1].side == experiment.config.data.image_size
    assert len(found) == experiment.gan.generator.blocks
