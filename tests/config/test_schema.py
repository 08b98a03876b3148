"""Config files are accepted, and their fields checked; stored configs are compared with them."""

import importlib
import json
from typing import Any

import pytest

from configs import default
from configs.lab import critic_self_attention
from gcgan_jax.config.compatibility import differences, digest, require_compatible
from gcgan_jax.config.schema import from_mapping, to_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.experiment.networks import graph_blocks
from gcgan_jax.gan.losses.loss import Loss
from gcgan_jax.gan.losses.separable import WGAN, Minimax
from gcgan_jax.gan.losses.wgan_gp import WGANGP
from gcgan_jax.layers.merge import Gate
from gcgan_jax.operators.self_attention import SelfAttention
from tests.conftest import Tiny

OPERATOR = "generator__graph_layer__operator"


@pytest.mark.parametrize(
    ("file", "argument", "expected"),
    [
        ("baseline", None, ("none", None, 32, 1e-4)),
        ("edge_conv", None, ("edge_conv", 8, 32, 1e-4)),
        ("edge_conv", "8", ("edge_conv", 8, 32, 1e-4)),
        ("edge_conv", "16", ("edge_conv", 16, 32, 1e-4)),
        ("edge_conv", "32", ("edge_conv", 32, 32, 1e-4)),
        ("ecc", None, ("ecc", 8, 32, 1e-4)),
        ("ecc", "8", ("ecc", 8, 32, 1e-4)),
        ("ecc", "16", ("ecc", 16, 16, 7e-5)),
        ("ecc", "32", ("ecc", 32, 8, 5e-5)),
        ("ecc", "16,constant", ("ecc", 16, 32, 1e-4)),
        ("ecc", "32,constant", ("ecc", 32, 32, 1e-4)),
    ],
)
def test_table_4_1(file: str, argument: str | None, expected: tuple) -> None:
    values = importlib.import_module(f"configs.{file}").get_config(*filter(None, [argument]))
    experiment = make_experiment(from_mapping(values.to_dict()))
    config, layer = experiment.config, experiment.config.generator.graph_layer
    operator, k, batch_size, learning_rate = expected
    assert layer.operator.name == operator
    assert k is None or layer.graph.section["k"] == k
    assert (config.batch_size, config.learning_rate) == (batch_size, learning_rate)
    assert graph_blocks(config) == (() if operator == "none" else (2, 3))
    assert (config.n_critic, config.decay_iterations) == (5, 100_000)
    assert experiment.algorithm.loss == WGANGP(penalty_weight=10.0)
    assert config.critic.widths == (128, 256, 512)


@pytest.mark.parametrize(
    ("file", "loss", "training", "optimizer"),
    [
        ("algorithm1", Minimax(), (64, 1, 2e-4), ("adam", 0.5, 0.999)),
        ("algorithm2", WGAN(clip=0.01), (64, 5, 5e-5), ("rmsprop", 0.0, 0.9)),
        ("algorithm3", WGANGP(penalty_weight=10.0), (32, 5, 1e-4), ("adam", 0.0, 0.9)),
    ],
)
def test_algorithms_of_the_thesis(file: str, loss: Loss, training: tuple, optimizer: tuple) -> None:
    values = importlib.import_module(f"configs.{file}").get_config()
    experiment = make_experiment(from_mapping(values.to_dict()))
    config = experiment.config
    assert experiment.algorithm.loss == loss
    assert (config.batch_size, config.n_critic, config.learning_rate) == training
    assert (config.optimizer.name, config.optimizer.b1, config.optimizer.b2) == optimizer


def test_quickstart_has_a_graph_layer() -> None:
    config = from_mapping(importlib.import_module("configs.quickstart").get_config().to_dict())
    assert config.data.name == "twins"
    assert graph_blocks(config) == (2,)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), ("edge_conv", 8)), (("ecc,16",), ("ecc", 16)), (("none",), ("none", 8))],
)
def test_large_images_use_one_more_block(arguments: tuple[str, ...], expected: tuple) -> None:
    values = importlib.import_module("configs.large").get_config(*arguments)
    config = from_mapping(values.to_dict())
    assert config.data.image_size == 64
    layer = config.generator.graph_layer
    assert (layer.operator.name, layer.graph.section["k"]) == expected
    assert graph_blocks(config) == (() if expected[0] == "none" else (2, 3, 4))


@pytest.mark.parametrize(
    ("file", "argument"),
    [
        ("ecc", "16,fast"),
        ("ecc", "16,constant,"),
        ("ecc", "16,"),
        ("ecc", "+16"),
        ("edge_conv", "16,constant"),
        ("edge_conv", " 16"),
        ("large", "ecc,"),
        ("large", "ecc,8\n"),
    ],
)
def test_config_file_rejects_an_unknown_argument(file: str, argument: str) -> None:
    with pytest.raises(ValueError, match=r"unknown variant|expected a whole number"):
        importlib.import_module(f"configs.{file}").get_config(argument)


@pytest.mark.parametrize(("side", "blocks"), [(16, (2,)), (32, (2, 3)), (64, (2, 3, 4))])
def test_graph_blocks_default_to_the_second_and_later(
    tiny: Tiny, side: int, blocks: tuple[int, ...]
) -> None:
    assert graph_blocks(tiny(data__image_size=side, operator="ecc").config) == blocks


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bath_size": 8}, "config.bath_size: no such field"),
        ({"seed": None}, "config.seed = None: expected int, got NoneType"),
        ({"batch_size": 8.0}, "config.batch_size = 8.0: expected int, got float"),
        ({"critic": {"widths": (8, 8.0, 8)}}, "config.critic.widths"),
        ({"critic": {"widths": 8}}, "config.critic.widths = 8"),
        ({"penalty_weight": 9.0}, "config.penalty_weight: renamed, set config.loss.wgan_gp.pen"),
        ({"generator": {"k": 9}}, "config.generator.k: renamed, set config.generator.graph_layer"),
        ({"data": {"nmae": "twins"}}, "config.data.nmae: no such field; did you mean 'name'?"),
        ({"critic": 3}, "config.critic = 3"),
    ],
)
def test_unknown_fields_and_wrong_types_are_rejected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        from_mapping(default.get_config().to_dict() | change)
    assert message in str(error.value)


def test_missing_field_is_named() -> None:
    values = default.get_config().to_dict()
    del values["optimizer"]["eps"]
    with pytest.raises(UserError, match=r"config\.optimizer\.eps is missing"):
        from_mapping(values)


def test_differences_are_dotted_paths() -> None:
    a = {"x": 1, "y": {"z": [1], "w": 2}, "only": 0}
    assert differences(a, {"x": 1, "y": {"z": [2], "w": 2}}) == ["only", "y.z"]
    assert differences(a, a) == []
    assert (
        differences(a, {"x": 1, "only": 0}) == differences({"x": 1, "only": 0}, a) == ["y.w", "y.z"]
    )


def test_config_mapping_round_trip(tiny: Tiny) -> None:
    settings = tiny(operator="ecc", generator__graph_blocks=(1, 2)).settings
    assert to_mapping(from_mapping(settings)) == settings
    operator = settings["generator"]["graph_layer"]["operator"]
    defaults = {
        "hidden": None,
        "attention": True,
        "delta": 10.0,
        "delta_rule": "fixed",
        "slope": 0.2,
    }
    assert operator == {"name": "ecc", "ecc": defaults}  # no sections of other operators


def test_sections_of_unused_components_are_checked() -> None:
    values = default.get_config().to_dict()
    values["critic"]["graph_layer"]["operator"]["ecc"]["dleta"] = 1.0
    with pytest.raises(UserError, match=r"operator\.ecc\.dleta: no such field; .* 'delta'"):
        make_experiment(from_mapping(values))
    values = default.get_config().to_dict()
    values["loss"]["wgna"] = {"c": 0.01}
    with pytest.raises(UserError, match=r"config\.loss\.wgna: no such field"):
        make_experiment(from_mapping(values))


def test_configs_of_older_runs_imply_the_values_of_fields_that_they_lack(tiny: Tiny) -> None:
    experiment = tiny(operator="ecc")
    older = json.loads(json.dumps(experiment.settings))
    for network in ("generator", "critic"):
        layer = older[network]["graph_layer"]
        del layer["local"], layer["merge"]["average"]
        layer["graph"]["knn"] = {"k": layer["graph"]["knn"]["k"]}
    for field in ("norm", "norm_momentum", "norm_epsilon"):
        del older["critic"][field]
    del older["instance_noise"], older["generator"]["stem"], older["generator"]["noise"]
    del older["generator"]["graph_layer"]["operator"]["ecc"]["delta_rule"]
    require_compatible(experiment.settings, older, "--workdir=run")
    assert digest(older) == experiment.run
    for changes in (
        {"generator__noise__blocks": (1,)},
        {"instance_noise__sigma": 0.1},
        {"critic__norm": "layer"},
        {f"{OPERATOR}__ecc__delta_rule": "learned"},
    ):
        other = tiny(**{"operator": "ecc"} | changes)
        assert other.run != experiment.run
        with pytest.raises(UserError, match="holds a run with a different config"):
            require_compatible(other.settings, older, "--workdir=run")
        with pytest.raises(UserError, match="holds a run with a different config"):
            require_compatible(experiment.settings, other.settings, "--workdir=run")


@pytest.mark.parametrize("operator", ["self_attention", "global"])
def test_operators_without_a_graph_fit_any_k(tiny: Tiny, operator: str) -> None:
    tiny(operator=operator, k=1000).state_shapes()


@pytest.mark.parametrize("stored", [{"penalty_weight": 10.0}, {"generator": {"k": 8}}])
def test_run_of_version_0_1_is_rejected(tiny: Tiny, stored: dict) -> None:
    with pytest.raises(UserError, match=r"holds a run of gcgan_jax 0\.1 .* use that version, or"):
        require_compatible(tiny().settings, stored, "--workdir=runs/old")


def test_every_field_of_a_graph_layer_reaches_it() -> None:
    config = critic_self_attention.get_config()
    config.critic.graph_layer.coordinates = False
    layer = make_experiment(from_mapping(config.to_dict())).gan.critic.graph_conv.keywords
    assert (layer["local_branch"], layer["coordinates"]) == ("identity", False)
    assert (layer["operator"].func, layer["merge"].func) == (SelfAttention, Gate)
