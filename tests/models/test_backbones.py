"""The networks of DCGAN and WGAN-GP's ResNet against references, and their parameter counts."""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy import ndarray

from gcgan_jax import references
from gcgan_jax.experiment.networks import graph_blocks
from gcgan_jax.layers.normalisation import Normalisation
from gcgan_jax.layers.statistics import BatchStatistics
from gcgan_jax.models import BACKBONES, dcgan, gcgan, resnet
from tests.conftest import make
from tests.helpers import assert_agrees
from tests.models.test_critic import GRAPH_CONVS

RNG = np.random.default_rng(0)
EPSILON = 1e-5


def sizes(variables: Any) -> dict[str, int]:
    """Return the number of parameters of each layer."""
    layers = variables["params"].items()
    return {name: sum(leaf.size for leaf in jax.tree.leaves(layer)) for name, layer in layers}


def random_like(shapes: Any) -> Any:
    return jax.tree.map(lambda leaf: RNG.uniform(-1, 1, leaf.shape), shapes)


def test_parameter_counts_of_dcgan() -> None:
    state = make(
        backbone="dcgan",
        data__image_size=32,
        loss__name="minimax",
        generator__latent_size=100,
        generator__width=512,
        critic__widths=(64, 128, 256),
        critic__norm="batch",
    ).state_shapes()
    assert sizes(state.generator.variables) == {
        "dense": 100 * 4 * 4 * 512,
        "dense_norm": 2 * 512,
        "block1_up": 4 * 4 * 512 * 256,
        "block1_up_norm": 2 * 256,
        "block2_up": 4 * 4 * 256 * 128,
        "block2_up_norm": 2 * 128,
        "to_image": 4 * 4 * 128 * 3 + 3,
    }
    assert sizes(state.critic.variables) == {
        "conv1": 5 * 5 * 3 * 64 + 64,
        "conv2": 5 * 5 * 64 * 128 + 128,
        "conv2_norm": 2 * 128,
        "conv3": 5 * 5 * 128 * 256 + 256,
        "conv3_norm": 2 * 256,
        "dense": 4 * 4 * 256 + 1,
    }


def test_parameter_counts_of_resnet_at_the_papers_width() -> None:
    state = make(
        backbone="resnet",
        data__image_size=32,
        generator__latent_size=128,
        generator__width=128,
        critic__widths=(128,) * 4,
    ).state_shapes()
    conv = 3 * 3 * 128 * 128
    block = {"": 2 * 128, "_up": conv, "_up_norm": 2 * 128, "_conv": conv, "_shortcut": 128 * 128}
    assert sizes(state.generator.variables) == {
        "dense": 128 * 4 * 4 * 128 + 4 * 4 * 128,
        **{f"block{i}{part or '_norm'}": n for i in (1, 2, 3) for part, n in block.items()},
        "to_image_norm": 2 * 128,
        "to_image": 3 * 3 * 128 * 3 + 3,
    }
    stages = {f"stage{i}_conv{j}": conv + 128 for i in (1, 2, 3, 4) for j in (1, 2)}
    assert sizes(state.critic.variables) == stages | {
        "stage1_conv1": 3 * 3 * 3 * 128 + 128,
        "stage1_shortcut": 3 * 128 + 128,
        "stage2_shortcut": 128 * 128 + 128,
        "dense": 128 + 1,
    }


def conv(x: ndarray, kernel: ndarray, bias: float | ndarray = 0.0) -> ndarray:
    return references.conv(x, kernel, ((1, 1), (1, 1))) + bias


def graph_layer(x: ndarray, non_local: Any, local: Any, bias: ndarray, reduction: str) -> ndarray:
    """EdgeConv on the 3 nearest pixels, averaged with a convolution."""
    B, H, W, _ = x.shape
    coordinates = np.stack([references.coordinates(H, W)] * B)
    h = np.concatenate([x.reshape(B, H * W, -1), coordinates], axis=-1)
    edges = references.edge_conv(h, references.knn(x, 3), **non_local, reduction=reduction)
    local_out = conv(x, **local)
    return (local_out + edges.reshape(local_out.shape)) / 2 + bias


def reference_dcgan(params: Any, z: ndarray) -> ndarray:
    """Images of 16x16 from one block with a graph layer, and one that makes the image."""

    def activate(x: ndarray, name: str) -> ndarray:
        return np.maximum(references.batch_norm(x, **params[f"{name}_norm"], epsilon=EPSILON), 0)

    x = activate((z @ params["dense"]["kernel"]).reshape(len(z), 4, 4, -1), "dense")
    x = activate(references.transposed_conv(x, params["block1_up"]["kernel"]), "block1_up")
    x = activate(graph_layer(x, **params["block1_graph"], reduction="sum"), "block1_graph")
    x = references.transposed_conv(x, params["to_image"]["kernel"])
    return np.tanh(x + params["to_image"]["bias"])


def reference_resnet(params: Any, z: ndarray) -> ndarray:
    """Images of 16x16 from two blocks, of which the first has a graph layer."""

    def activate(x: ndarray, name: str) -> ndarray:
        return np.maximum(references.batch_norm(x, **params[f"{name}_norm"], epsilon=EPSILON), 0)

    dense = z @ params["dense"]["kernel"] + params["dense"]["bias"]
    x = dense.reshape(len(z), 4, 4, -1)
    for name in ("block1", "block2"):
        shortcut = references.upsample(x) @ params[f"{name}_shortcut"]["kernel"]
        y = conv(references.upsample(activate(x, name)), **params[f"{name}_up"])
        y = activate(y, f"{name}_up")
        if name == "block1":
            y = graph_layer(y, **params["block1_graph"], reduction="sum")
        else:
            y = conv(y, **params["block2_conv"])
        x = shortcut + y
    return np.tanh(conv(activate(x, "to_image"), **params["to_image"]))


@pytest.mark.parametrize(
    ("backbone", "reference"), [("dcgan", reference_dcgan), ("resnet", reference_resnet)]
)
def test_generator_matches_the_reference(backbone: str, reference: Any) -> None:
    model = make(
        backbone=backbone, operator="edge_conv", generator__width=4, generator__graph_blocks=(1,)
    ).gan.generator
    z = RNG.normal(size=(2, 5))
    shapes = jax.eval_shape(partial(model.init, train=True), jax.random.key(0), jnp.asarray(z))
    variables = random_like({name: shapes[name] for name in ("params", "batch_stats")})
    with jax.enable_x64(True):
        apply = jax.jit(partial(model.apply, train=True, mutable=["batch_stats"]))
        images, updated = apply(variables, z)
        # With the statistics of this very batch, evaluation gives the same images.
        exact = jax.tree.map(
            lambda new, old: (new - 0.9 * old) / 0.1,
            dict(updated),
            {"batch_stats": variables["batch_stats"]},
        )
        evaluated = jax.jit(partial(model.apply, train=False))(variables | exact, z)
    np.testing.assert_allclose(images, reference(variables["params"], z), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(evaluated, images, rtol=1e-6, atol=1e-6)


def reference_critic(params: Any, slope: float, norm: str, x: ndarray) -> ndarray:
    """The ResNet's critic of four blocks, with a graph layer after the first."""

    def activate(x: ndarray, name: str) -> ndarray:
        if norm == "batch" and not name.startswith("stage1"):
            x = references.batch_norm(x, **params[f"{name}_norm"], epsilon=EPSILON)
        return references.leaky_relu(x, slope)

    for name in ("stage1", "stage2", "stage3", "stage4"):
        y = x if name == "stage1" else activate(x, name)
        y = conv(
            activate(conv(y, **params[f"{name}_conv1"]), f"{name}_conv1"), **params[f"{name}_conv2"]
        )
        if name in ("stage1", "stage2"):
            x, y = references.mean_pool(x), references.mean_pool(y)
        if name != "stage3":  # whose input and output have the same shape
            x = x @ params[f"{name}_shortcut"]["kernel"] + params[f"{name}_shortcut"]["bias"]
        x = x + y
        if name == "stage1":
            x = graph_layer(x, **params["stage1_graph"], reduction="mean")
    x = references.leaky_relu(x, slope).mean(axis=(1, 2))
    return (x @ params["dense"]["kernel"] + params["dense"]["bias"])[:, 0]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_critic_of_resnet_matches_the_reference(norm: str) -> None:
    statistics = BatchStatistics(0.9, EPSILON)
    critic = resnet.Critic(
        (3, 2, 2, 3), 0.1, (1,), GRAPH_CONVS["edge_conv"], Normalisation(norm, statistics)
    )
    x = RNG.normal(size=(2 if norm == "batch" else 1, 8, 8, 1))
    params = random_like(jax.eval_shape(critic.init, jax.random.key(0), x)["params"])
    reference = partial(reference_critic, params, 0.1, norm)
    if norm == "none":
        assert_agrees(lambda x: critic.apply({"params": params}, x), reference, x)
        return
    with jax.enable_x64(True):
        apply = jax.jit(partial(critic.apply, train=True, mutable=["batch_stats"]))
        scores, _ = apply({"params": params}, x)
    np.testing.assert_allclose(scores, reference(x), rtol=1e-9)


@pytest.mark.parametrize(
    ("backbone", "side", "blocks"),
    [("gcgan", 32, (2, 3)), ("dcgan", 16, (1,)), ("dcgan", 64, (2, 3)), ("resnet", 32, (2, 3))],
)
def test_blocks_that_have_graph_layers_by_default(
    backbone: str, side: int, blocks: tuple[int, ...]
) -> None:
    experiment = make(backbone=backbone, data__image_size=side, operator="edge_conv")
    assert graph_blocks(experiment.config) == blocks
    params = experiment.state_shapes().generator.params
    assert {name for name in params if name.endswith("_graph")} == {
        f"block{block}_graph" for block in blocks
    }
    for block in blocks:
        features = BACKBONES[backbone].generator_features(16, int(math.log2(side)) - 2)
        assert params[f"block{block}_graph"]["bias"].shape == (features[block - 1],)


def test_maps_that_can_have_graph_layers() -> None:
    assert gcgan.block_features(24, 3) == (12, 6, 3) and dcgan.block_features(24, 3) == (12, 6)
    assert resnet.block_features(25, 3) == (25, 25, 25)
    assert gcgan.conv_sides(32, 5) == (16, 8, 4, 2, 1)
    assert resnet.block_sides(32, 4) == (16, 8, 8, 8)


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize(("widths", "after"), [((4,), (1,)), ((4, 5, 6, 7), (2, 4))])
def test_noise_constant_stem_and_critics_of_any_length(
    backbone: str, widths: tuple[int, ...], after: tuple[int, ...]
) -> None:
    experiment = make(
        backbone=backbone,
        generator__stem="constant",
        generator__noise__blocks=(1,),
        critic__widths=widths,
        critic__graph_after=after,
        critic__graph_layer__operator__name="global",
    )
    state = experiment.state_shapes()
    assert {"constant", "block1_noise"} <= state.generator.params.keys()
    graphs = {name: layer for name, layer in state.critic.params.items() if "_graph" in name}
    assert [int(name[-7]) for name in sorted(graphs)] == list(after)
    features = [graphs[name]["bias"].shape for name in sorted(graphs)]
    assert features == [(widths[index - 1],) for index in after]
    scores = jax.eval_shape(
        experiment.gan.critic.apply, state.critic.variables, jnp.zeros((2, 16, 16, 3))
    )
    assert scores.shape == (2,)
