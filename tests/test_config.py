"""Every config file is accepted; what does not fit is refused in one line naming the field."""

import importlib
from collections.abc import Callable
from typing import Any

import pytest

from configs import default
from gcgan_jax.config import Config, differences, from_mapping
from gcgan_jax.errors import UserError


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
    config = from_mapping(values.to_dict())
    non_local, k, batch_size, learning_rate = expected
    assert config.generator.non_local == non_local
    assert k is None or config.generator.k == k
    assert (config.batch_size, config.learning_rate) == (batch_size, learning_rate)
    assert config.graph_blocks == (() if non_local == "none" else (2, 3))
    assert (config.n_critic, config.penalty_weight, config.decay_iterations) == (5, 10.0, 100_000)
    assert config.critic.widths == (128, 256, 512)


def test_quickstart_has_a_graph_layer() -> None:
    config = from_mapping(importlib.import_module("configs.quickstart").get_config().to_dict())
    assert config.data.name == "twins"
    assert config.graph_blocks == (2,)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((), ("edge_conv", 8)), (("ecc,16",), ("ecc", 16)), (("none",), ("none", 8))],
)
def test_large_images_take_a_block_more(arguments: tuple[str, ...], expected: tuple) -> None:
    values = importlib.import_module("configs.large").get_config(*arguments)
    config = from_mapping(values.to_dict())
    assert (config.blocks, config.data.image_size) == (4, 64)
    assert (config.generator.non_local, config.generator.k) == expected


def test_unknown_argument_of_a_config_file() -> None:
    with pytest.raises(ValueError, match="'fast' after the k"):
        importlib.import_module("configs.ecc").get_config("16,fast")


@pytest.mark.parametrize(("side", "blocks"), [(16, (2,)), (32, (2, 3)), (64, (2, 3, 4))])
def test_graph_blocks_are_the_second_and_later(
    tiny: Callable[..., Config], side: int, blocks: tuple[int, ...]
) -> None:
    config = tiny(data__image_size=side, generator__non_local="ecc")
    assert config.graph_blocks == blocks


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"batch_size": 0}, "config.batch_size = 0: must be at least 1 and at most 65536"),
        ({"learning_rate": -1.0}, "config.learning_rate = -1.0"),
        ({"penalty_weight": -1.0}, "config.penalty_weight"),
        ({"seed": -1}, "config.seed = -1"),
        ({"iterations_per_call": 3}, "config.num_iterations = 4: must be a multiple"),
        ({"iterations_per_call": 4}, "config.log_every = 2: must be a multiple"),
        (
            {"compute_dtype": "float16"},
            "config.compute_dtype = 'float16': choose",
        ),
        ({"matmul_precision": "low"}, "config.matmul_precision = 'low': choose"),
        ({"profile": (3,)}, "config.profile = (3,): () or the first and the last iteration"),
        ({"profile": (3, 2)}, "config.profile = (3, 2)"),
        ({"profile": (0, 2)}, "config.profile = (0, 2)"),
        ({"optimizer__name": "sgd"}, "config.optimizer.name = 'sgd'"),
        ({"optimizer__b2": 1.0}, "config.optimizer.b2 = 1.0"),
        ({"optimizer__eps": 0.0}, "config.optimizer.eps"),
        ({"data__name": "mnist"}, "config.data.name = 'mnist'"),
        ({"data__image_size": 24}, "config.data.image_size = 24"),
        ({"data__image_size": 8}, "config.data.image_size = 8"),
        ({"data__image_size": 64, "data__name": "cifar10"}, "config.data.image_size = 64"),
        ({"data__channels": 1}, "config.data.channels = 1"),
        ({"data__twins__jitter": 5}, "config.data.twins: jitter = 5"),
        ({"data__twins__num_train": 0}, "config.data.twins.num_train = 0"),
        ({"generator__width": 18}, "config.generator.width = 18: must be a multiple of 4"),
        ({"generator__latent_size": 0}, "config.generator.latent_size = 0"),
        ({"generator__non_local": "gat"}, "config.generator.non_local = 'gat'"),
        ({"generator__non_local": "ecc", "generator__k": 248}, "config.generator.k = 248"),
        ({"generator__non_local": "ecc", "generator__k": 0}, "config.generator.k = 0"),
        (
            {"generator__non_local": "ecc", "generator__graph_blocks": (3,)},
            "config.generator.graph_blocks = (3,): blocks are 1 to 2",
        ),
        ({"generator__edge_conv__reduction": "min"}, "config.generator.edge_conv.reduction"),
        ({"generator__ecc__delta": 0.0}, "config.generator.ecc.delta"),
        ({"generator__ecc__hidden": -1}, "config.generator.ecc.hidden"),
        ({"ema_decay": 1.0}, "config.ema_decay = 1.0: must be at least 0 and below 1"),
        ({"eval_every": -2}, "config.eval_every = -2"),
        ({"iterations_per_call": 2, "eval_every": 3}, "config.eval_every = 3: must be a multiple"),
        ({"eval__network": "vgg"}, "config.eval.network = 'vgg': choose"),
        (
            {"eval__network": "structure", "data__name": "cifar10", "data__image_size": 32},
            "config.eval.network = 'structure': needs data.name='twins'",
        ),
        ({"eval__protocol": "tiny"}, "config.eval.protocol = 'tiny': choose"),
        ({"eval__split": "valid"}, "config.eval.split = 'valid'"),
        ({"eval__batch_norm": "none"}, "config.eval.batch_norm = 'none'"),
        ({"eval__batch_size": 0}, "config.eval.batch_size = 0"),
        ({"checkpoint": "last"}, "config.checkpoint = 'last'"),
        ({"critic__widths": (8, 8)}, "config.critic.widths = (8, 8): needs 3 numbers"),
    ],
)
def test_values_that_do_not_fit(
    tiny: Callable[..., Config], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError) as error:
        tiny(**changes)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bath_size": 8}, "config.bath_size: no such field"),
        ({"seed": None}, "config.seed = None: expected int, got NoneType"),
        ({"batch_size": 8.0}, "config.batch_size = 8.0: expected int, got float"),
        ({"critic": {"widths": (8, 8.0, 8), "slope": 0.2}}, "config.critic.widths"),
        ({"critic": {"widths": 8, "slope": 0.2}}, "config.critic.widths = 8"),
        ({"critic": 3}, "config.critic = 3"),
    ],
)
def test_fields_and_types_that_are_not_ours(change: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as error:
        from_mapping(default.get_config().to_dict() | change)
    assert told in str(error.value)


def test_a_missing_field_is_named() -> None:
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
