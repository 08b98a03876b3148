"""What a plan says of a config, against what training would take."""

import json
import re
from pathlib import Path

import jax
import pytest

from gcgan_jax.commands.plan import plan
from gcgan_jax.commands.rehearsal import Rehearsal, modules
from gcgan_jax.errors import UserError
from scripts.benchmark import flops
from tests.conftest import Tiny

ONE = jax.devices()[:1]


def test_parts_sum_to_the_networks(tiny: Tiny) -> None:
    experiment = tiny(operator="edge_conv", ema_decay=0.9)
    parts, memory = Rehearsal(experiment, ONE).trace()
    state = experiment.state_shapes()
    networks = [state.generator.params, state.critic.params]
    count = sum(leaf.size for leaf in jax.tree.leaves(networks))
    assert sum(part.parameters for part in parts.values()) == count
    total = sum(part.flops for part in parts.values())  # with sums of kernels, by upsampling
    assert total == pytest.approx(flops.iteration(experiment.config), rel=0.02)
    assert "other" not in parts
    assert parts["generator block2_graph graph"].flops == 4 * 3 * 2 * 256 * 256 * 4
    assert {"generator block2_graph local", "generator block2_graph non_local"} < set(parts)
    everything = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    assert memory.networks + memory.optimizers + 4 == everything  # 4: the iteration
    assert memory.images == 2 * 16 * 16 * 16 * 3


def test_scopes_name_modules() -> None:
    scope = "/pmap/transpose(jvp(Generator))/block2_graph/block2_graph._local/local"
    assert modules(scope, "Generator") == ("block2_graph", "local")
    assert modules(scope, "Critic") == ()


def test_too_large_is_refused_before_compiling(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(UserError) as refused:
        plan(tiny(operator="ecc"), tmp_path, ONE, tmp_path / "out", available=10**5)
    assert re.fullmatch(
        r"config\.batch_size = 4: training needs about 0\.\d\d GiB on each device, but 0\.00 GiB "
        r"are available: lower config\.batch_size, config\.generator\.width, "
        r"config\.critic\.widths or config\.generator\.graph_layer\.graph\.knn\.k",
        str(refused.value),
    )
    assert "compiling" not in capsys.readouterr().out
    assert not any(tmp_path.iterdir())


def test_a_plan_for_two_devices_and_images_from_the_host(
    tiny: Tiny, tmp_path: Path, two_devices: list[jax.Device], capsys: pytest.CaptureFixture
) -> None:
    experiment = tiny(num_iterations=7200, n_critic=1, data__placement="host")
    folder = tmp_path / "new" / "plans"
    plan(experiment, tmp_path / "run", two_devices, folder)
    out = capsys.readouterr().out
    assert re.search(r"2 x cpu: \S+ s an iteration at .*; 7,200 iterations take", out)
    assert "| all | " in out and "| networks | " in out
    assert not (tmp_path / "run").exists()
    assert [path.name for path in folder.iterdir()] == ["plan.json"]
    stored = json.loads((folder / "plan.json").read_text())
    assert stored["hours"] == pytest.approx(2 * stored["seconds"])
    assert stored["flops"] == pytest.approx(flops.iteration(experiment.config), rel=0.03)
    memory = stored["memory"]
    in_turns = max(memory.pop("training_step"), memory.pop("diagnostics"))
    assert stored["peak"] > sum(memory.values()) + in_turns > 0
