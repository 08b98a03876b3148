"""Networks without an operator that have as many parameters as one with it."""

from pathlib import Path

import jax
import pytest

from configs import default, matched
from gcgan_jax.commands.ablate import ablate
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.operators import OPERATORS
from gcgan_jax.training.loop import train
from scripts.matched import Layer, baseline, count, expansion_for, local, report, width_for
from tests.conftest import Tiny, make_config


def preset(where: str, operator: str) -> Config:
    return from_mapping(matched.get_config(f"{where},{operator}").to_dict())


def with_operator(operator: str) -> Config:
    config = default.get_config()
    config.generator.graph_layer.operator.name = operator
    return from_mapping(config.to_dict())


@pytest.mark.parametrize("operator", matched.WIDTH)
def test_presets_match_the_operators(operator: str) -> None:
    config = with_operator(operator)
    total, layers = count(config)
    added = total - count(baseline(config, 528)).total
    assert expansion_for(layers) == matched.EXPANSION[operator]
    assert abs(count(preset("local", operator)).total - total) < 0.02 * added
    width = matched.WIDTH[operator]
    errors = [abs(count(baseline(config, w)).total - total) for w in (width - 1, width, width + 1)]
    assert min(errors) == errors[1] < 0.002 * total
    assert count(preset("baseline", operator)) == count(baseline(config, width))


def test_presets_are_complete_and_reject_others() -> None:
    assert matched.WIDTH.keys() == matched.EXPANSION.keys() == OPERATORS.keys() - {"none"}
    for argument in ("critic,ecc", "local", "local,gat", ""):
        with pytest.raises(ValueError, match=f"unknown argument '{argument}': use local,OPERATOR"):
            matched.get_config(argument)


def test_solvers() -> None:
    assert width_for(100, lambda width: width**2, smallest=1) == 10
    assert width_for(109, lambda width: width**2, smallest=1) == 10
    assert width_for(112, lambda width: width**2, smallest=1) == 11
    assert width_for(3, lambda width: width**2, smallest=4) == 4
    m = 7  # hidden features of a layer of 10
    assert expansion_for([Layer(10, 9 * 10 * m + 10 * m + 10)]) == pytest.approx(0.7, abs=0.05)


def test_report_names_fields_that_match(capsys: pytest.CaptureFixture[str]) -> None:
    config = make_config(operator="edge_conv", generator__width=64)
    total = count(config).total
    report(config)
    out = capsys.readouterr().out
    assert f"{total:,} parameters" in out
    fields = dict(
        word.rstrip("`").removeprefix("--config.generator.").split("=")
        for word in out.replace("`", " ").split()
        if word.startswith("--config.generator.")
    )
    narrow = count(local(config, float(fields["graph_layer.local_expansion"]))).total
    wide = count(baseline(config, int(fields["width"]))).total
    assert f"| {narrow:,} |" in out and f"| {wide:,} |" in out
    assert abs(narrow - total) < 0.002 * total and abs(wide - total) < 0.02 * total
    with pytest.raises(UserError, match=r"operator.name = 'none': there is nothing to match"):
        report(make_config())


def test_there_is_no_operator_to_ablate(tiny: Tiny, tmp_path: Path) -> None:
    experiment = tiny(generator__graph_layer__local_expansion=2.0)
    assert "block2_graph" in experiment.state_shapes().generator.params
    with pytest.raises(UserError, match="this generator has no graph layer to ablate"):
        ablate(experiment, tmp_path)


@pytest.mark.slow
def test_a_widened_local_branch_is_trained(
    tiny: Tiny, two_devices: list[jax.Device], tmp_path: Path
) -> None:
    train(tiny(generator__graph_layer__local_expansion=2.0), tmp_path / "run", devices=two_devices)
    metrics = (tmp_path / "run" / "metrics.jsonl").read_text()
    assert '"step": 4' in metrics and "null" not in metrics
