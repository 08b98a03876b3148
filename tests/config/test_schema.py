"""Config files are accepted; invalid fields are rejected with a one-line error that names them."""

import importlib
from typing import Any

import pytest

from configs import default
from gcgan_jax.config.compatibility import differences, require_compatible
from gcgan_jax.config.schema import from_mapping, to_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.experiment.networks import graph_blocks
from gcgan_jax.gan.losses import WGANGP
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
    ("changes", "message"),
    [
        ({"batch_size": 0}, "config.batch_size = 0: must be at least 1 and at most 65536"),
        ({"learning_rate": -1.0}, "config.learning_rate = -1.0"),
        ({"loss__wgan_gp__penalty_weight": -1.0}, "config.loss.wgan_gp.penalty_weight = -1.0"),
        ({"loss__name": "wgan"}, "config.loss.name = 'wgan': choose 'wgan_gp'"),
        ({"backbone": "dcgan"}, "config.backbone = 'dcgan': choose 'gcgan'"),
        ({"extensions": ("no_such",)}, "config.extensions: 'no_such' cannot be imported"),
        ({"seed": -1}, "config.seed = -1"),
        ({"iterations_per_call": 3}, "config.num_iterations = 4: must be a multiple"),
        ({"iterations_per_call": 4}, "config.log_every = 2: must be a multiple"),
        (
            {"compute_dtype": "float16"},
            "config.compute_dtype = 'float16': choose",
        ),
        ({"matmul_precision": "low"}, "config.matmul_precision = 'low': choose"),
        ({"profile": (3,)}, "config.profile = (3,): needs 2 numbers"),
        ({"profile": (3, 2)}, "config.profile = (3, 2)"),
        ({"profile": (0, 2)}, "config.profile = (0, 2)"),
        ({"optimizer__name": "sgd"}, "config.optimizer.name = 'sgd'"),
        ({"optimizer__b2": 1.0}, "config.optimizer.b2 = 1.0"),
        ({"optimizer__eps": 0.0}, "config.optimizer.eps"),
        ({"data__name": "mnist"}, "config.data.name = 'mnist'"),
        ({"data__image_size": 24}, "config.data.image_size = 24"),
        ({"data__image_size": 8}, "config.data.image_size = 8"),
        (
            {"data__image_size": 64, "data__name": "cifar10"},
            "config.data (cifar10): image_size = 64",
        ),
        ({"data__channels": 1}, "config.data.channels = 1"),
        ({"data__twins__jitter": 5}, "config.data (twins): jitter = 5"),
        ({"data__twins__num_train": 0}, "config.data.twins.num_train = 0"),
        ({"generator__width": 18}, "config.generator.width = 18: must be a multiple of 4"),
        ({"generator__latent_size": 0}, "config.generator.latent_size = 0"),
        (
            {"operator": "gat"},
            "operator.name = 'gat': choose 'none', 'edge_conv', 'ecc' or 'low_rank_ecc'",
        ),
        (
            {"operator": "ecc", "k": 248},
            "config.generator.graph_layer (block 2): k = 248 does not fit a 16x16 feature map",
        ),
        (
            {"critic__graph_layer__operator__name": "ecc", "critic__graph_after": (1, 3)},
            "config.critic.graph_layer (after convolution 3): a kNN graph needs sides of at least",
        ),
        (
            {"generator__graph_layer__graph__name": "ring"},
            "config.generator.graph_layer.graph.name = 'ring': choose 'knn'",
        ),
        (
            {"critic__graph_layer__merge__name": "gate"},
            "config.critic.graph_layer.merge.name = 'gate': choose 'average'",
        ),
        ({"operator": "ecc", "k": 0}, "config.generator.graph_layer.graph.knn.k = 0"),
        (
            {"operator": "ecc", "generator__graph_blocks": (3,)},
            "config.generator.graph_blocks = (3,): choose blocks 1 to 2",
        ),
        (
            {f"{OPERATOR}__edge_conv__reduction": "min"},
            "operator.edge_conv.reduction = 'min': choose",
        ),
        (
            {f"{OPERATOR}__ecc__delta": 0.0},
            "operator.ecc.delta = 0.0: must be above 0",
        ),
        (
            {f"{OPERATOR}__ecc__hidden": -1},
            "operator.ecc.hidden = -1: must be at least 1",
        ),
        ({"ema_decay": 1.0}, "config.ema_decay = 1.0: must be above 0 and below 1, or None"),
        ({"eval_every": -2}, "config.eval_every = -2"),
        ({"iterations_per_call": 2, "eval_every": 3}, "config.eval_every = 3: must be a multiple"),
        ({"eval__network": "vgg"}, "config.eval.network = 'vgg': choose"),
        (
            {"eval__network": "structure", "data__name": "cifar10", "data__image_size": 32},
            "config.eval.network = 'structure': requires config.data.name = 'twins'",
        ),
        ({"eval__protocol": "tiny"}, "config.eval.protocol = 'tiny': choose"),
        ({"eval__split": "valid"}, "config.eval.split = 'valid'"),
        ({"eval__batch_norm": "none"}, "config.eval.batch_norm = 'none'"),
        ({"eval__batch_size": 0}, "config.eval.batch_size = 0"),
        ({"checkpoint": "last"}, "config.checkpoint = 'last'"),
        ({"critic__widths": (8, 8)}, "config.critic.widths = (8, 8): needs 3 numbers"),
    ],
)
def test_invalid_values_are_rejected(tiny: Tiny, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        tiny(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


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
    defaults = {"hidden": None, "attention": True, "delta": 10.0, "slope": 0.2}
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


@pytest.mark.parametrize("stored", [{"penalty_weight": 10.0}, {"generator": {"k": 8}}])
def test_run_of_version_0_1_is_rejected(tiny: Tiny, stored: dict) -> None:
    with pytest.raises(UserError, match=r"holds a run of gcgan_jax 0\.1 .* use that version, or"):
        require_compatible(tiny().settings, stored, "--workdir=runs/old")
