"""The generator against a reference, and its parameter count at the thesis's widths."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import default
from gcgan_jax import references
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from gcgan_jax.models.gcgan import Generator


def generator(operator: str, side: int = 32, k: int = 8, **values: Any) -> Generator:
    """The generator of the default config with some values changed."""
    config = default.get_config()
    config.data.name, config.data.image_size = "twins", side
    config.generator.update(**values)
    config.generator.graph_layer.operator.name = operator
    config.generator.graph_layer.graph.knn.k = k
    return make_experiment(from_mapping(config.to_dict())).gan.generator


def variable_shapes(model: Generator, latent_size: int = 132) -> Any:
    z = jnp.zeros((2, latent_size))
    variables = jax.eval_shape(partial(model.init, train=True), jax.random.key(0), z)
    return {name: variables[name] for name in ("params", "batch_stats")}


def tiny_generator(
    operator: str, graph_blocks: tuple[int, ...] | None = None
) -> tuple[Generator, Any, np.ndarray]:
    """A 16x16 generator, random variables and latents."""
    model = generator(operator, 16, width=8, k=3, latent_size=5, graph_blocks=graph_blocks)
    rng = np.random.default_rng(0)
    variables = jax.tree.map(lambda a: rng.uniform(-1, 1, a.shape), variable_shapes(model, 5))
    variables["batch_stats"] = jax.tree.map(np.exp, variables["batch_stats"])
    return model, variables, rng.normal(size=(3, 5))


def norm_size(features: int) -> int:
    return 2 * features  # scale and bias


BASELINE = {
    "dense": 132 * 4 * 4 * 528,
    "dense_norm": norm_size(528),
    "block1_up": 3 * 3 * 528 * 264,
    "block1_up_norm": norm_size(264),
    "block1_conv": 3 * 3 * 264 * 264,
    "block1_conv_norm": norm_size(264),
    "block2_up": 3 * 3 * 264 * 132,
    "block2_up_norm": norm_size(132),
    "block2_conv": 3 * 3 * 132 * 132,
    "block2_conv_norm": norm_size(132),
    "block3_up": 3 * 3 * 132 * 66,
    "block3_up_norm": norm_size(66),
    "block3_conv": 3 * 3 * 66 * 66,
    "block3_conv_norm": norm_size(66),
    "to_image": 66 * 3 + 3,
}


def with_graphs(block2: int, block3: int) -> dict[str, int]:
    """BASELINE with graph layers in blocks 2 and 3, whose operators have so many parameters."""
    return BASELINE | {
        "block2_conv": BASELINE["block2_conv"] + block2 + 132,
        "block3_conv": BASELINE["block3_conv"] + block3 + 66,
    }


@pytest.mark.parametrize(
    ("operator", "layers"),
    [
        ("none", BASELINE),
        ("edge_conv", with_graphs(2 * 134 * 132, 2 * 68 * 66)),
        (
            "ecc",
            with_graphs(
                134 * 134 + 134 + 134 * 134 * 132 + 134 * 132,
                68 * 68 + 68 + 68 * 68 * 66 + 68 * 66,
            ),
        ),
    ],
)
def test_parameter_count_at_the_thesis_widths(operator: str, layers: dict[str, int]) -> None:
    params = variable_shapes(generator(operator))["params"]
    actual = {
        name.replace("graph", "conv"): sum(array.size for array in jax.tree.leaves(layer))
        for name, layer in params.items()
    }
    assert actual == layers
    graphs = {name for name in params if name.endswith("_graph")}
    assert graphs == (set() if operator == "none" else {"block2_graph", "block3_graph"})
    assert all(array.dtype == jnp.float32 for array in jax.tree.leaves(params))


@pytest.mark.parametrize(
    ("side", "graph_blocks", "graphs"),
    [
        (16, None, {"block2_graph"}),
        (32, None, {"block2_graph", "block3_graph"}),
        (64, None, {"block2_graph", "block3_graph", "block4_graph"}),
        (32, (1,), {"block1_graph"}),
        (64, (3, 2), {"block2_graph", "block3_graph"}),
    ],
)
def test_graph_blocks_at_each_image_size(
    side: int, graph_blocks: tuple[int, ...] | None, graphs: set[str]
) -> None:
    model = generator("ecc", side, graph_blocks=graph_blocks)
    variables = variable_shapes(model)
    assert {name for name in variables["params"] if name.endswith("_graph")} == graphs
    images = jax.eval_shape(partial(model.apply, train=False), variables, jnp.zeros((5, 132)))
    assert images.shape == (5, side, side, 3) and images.dtype == jnp.float32


@pytest.mark.parametrize("train", [True, False])
def test_generator_matches_the_reference(train: bool) -> None:
    model, variables, z = tiny_generator("edge_conv")
    params, batch_stats = variables["params"], variables["batch_stats"]

    def activate(x: np.ndarray, name: str) -> np.ndarray:
        name = f"{name}_norm"
        if train:
            return np.maximum(references.batch_norm(x, **params[name], epsilon=1e-5), 0)
        x = (x - batch_stats[name]["mean"]) / np.sqrt(batch_stats[name]["var"] + 1e-5)
        return np.maximum(x * params[name]["scale"] + params[name]["bias"], 0)

    def conv(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return references.conv(x, kernel, ((1, 1), (1, 1)))

    x = activate((z @ params["dense"]["kernel"]).reshape(3, 4, 4, 8), "dense")
    for name in ("block1_up", "block1_conv", "block2_up"):
        x = references.upsample(x) if name.endswith("up") else x
        x = activate(conv(x, params[name]["kernel"]), name)
    graph = params["block2_graph"]
    h = np.concatenate(
        [x.reshape(3, 256, 2), np.stack([references.coordinates(16, 16)] * 3)], axis=-1
    )
    non_local = references.edge_conv(h, references.knn(x, 3), **graph["non_local"])
    local = conv(x, graph["local"]["kernel"])
    x = activate((local + non_local.reshape(local.shape)) / 2 + graph["bias"], "block2_graph")
    expected = np.tanh(x @ params["to_image"]["kernel"] + params["to_image"]["bias"])

    with jax.enable_x64(True):
        mutable = ["batch_stats"] if train else []
        images, _ = jax.jit(partial(model.apply, train=train, mutable=mutable))(variables, z)
    assert images.dtype == np.float64
    np.testing.assert_allclose(images, expected, rtol=1e-9, atol=1e-9)


def test_running_averages_change_only_in_training() -> None:
    model, variables, z = tiny_generator("none")
    with jax.enable_x64(True):
        update = jax.jit(partial(model.apply, train=True, mutable=["batch_stats"]))
        updated = update(variables, z)[1]["batch_stats"]
        sample = jax.jit(partial(model.apply, train=False, mutable=["batch_stats"]))
        images, after_sampling = sample(variables, z)
        single, _ = sample(variables, z[:1])
    initial = variables["batch_stats"]
    jax.tree.map(np.testing.assert_array_equal, after_sampling["batch_stats"], initial)
    pairs = zip(jax.tree.leaves(updated), jax.tree.leaves(initial), strict=True)
    assert all(np.all(np.array(a) != b) for a, b in pairs)
    np.testing.assert_allclose(images[:1], single, rtol=1e-12, atol=1e-12)

    x = (z @ variables["params"]["dense"]["kernel"]).reshape(-1, 8)
    old, new = initial["dense_norm"], updated["dense_norm"]
    np.testing.assert_allclose(new["mean"], 0.9 * old["mean"] + 0.1 * x.mean(0), rtol=1e-9)
    np.testing.assert_allclose(new["var"], 0.9 * old["var"] + 0.1 * x.var(0), rtol=1e-9)


@pytest.mark.parametrize("operator", ["none", "edge_conv", "ecc"])
def test_images_lie_between_minus_one_and_one(operator: str) -> None:
    model, variables, z = tiny_generator(operator)
    variables["params"]["to_image"]["kernel"] *= 100
    images = jax.jit(partial(model.apply, train=False))(variables, z)
    assert images.shape == (3, 16, 16, 3)
    assert 0.99 < abs(images).max() <= 1


def test_both_branches_initially_have_about_the_same_norm() -> None:
    model = generator("ecc", k=8)
    z = np.random.default_rng(0).normal(size=(4, 132)).astype(np.float32)
    mutable = ["diagnostics", "batch_stats"]
    init = jax.jit(partial(model.init, train=True, mutable=["params", "batch_stats"]))
    apply = jax.jit(partial(model.apply, train=True, mutable=mutable))
    diagnostics = apply(init(jax.random.key(0, impl="rbg"), z), z)[1]["diagnostics"]
    assert set(diagnostics) == {"block2_graph", "block3_graph"}
    for layer in diagnostics.values():
        (ratio,) = layer["non_local_over_local"]
        assert 0.4 < ratio < 1.6
        assert 0 < layer["non_local"]["gamma"][0] < 1
