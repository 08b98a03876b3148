"""The PyTorch reference computes what our networks compute.

Both are given the same weights and the same noise; images, losses and gradients must agree. How
the layouts of weights differ (HWIO and OIHW, NHWC and NCHW in flattened maps) stands here.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from numpy import ndarray
from torch import nn

from gcgan_jax.config.schema import Config
from gcgan_jax.experiment import Experiment
from gcgan_jax.gan.losses import critic_loss, generator_loss
from gcgan_jax.gan.rng import Latents
from scripts.benchmark import pytorch_reference as peer

TOLERANCE = 1e-4  # relative, of 2-norms

Tree = Any


def check(
    experiment: Experiment, variants: Sequence[str] = ("eager",), batch: int = 4
) -> dict[str, float]:
    """All differences, at most TOLERANCE.

    Raises:
        AssertionError: one is larger.
    """
    found = differences(experiment, variants, batch)
    for name, difference in found.items():
        assert difference <= TOLERANCE, f"{name} differs by {difference:.1e}"
    return found


def differences(experiment: Experiment, variants: Sequence[str], batch: int) -> dict[str, float]:
    """||theirs - ours|| / ||ours|| of all that both compute from equal weights and noise."""
    config, gan = experiment.config, experiment.gan
    rng = np.random.default_rng(config.seed)
    state = experiment.state_shapes()
    weights = (state.generator.params, state.critic.params, state.generator.batch_stats)
    weights = jax.tree_util.tree_map_with_path(partial(_random, rng), weights)
    noise = (
        rng.normal(size=(batch, gan.latent_size)),
        rng.uniform(-1, 1, size=(batch, *gan.image_shape)),
        rng.uniform(size=batch),
    )
    noise = tuple(array.astype(jnp.result_type(float)) for array in noise)
    ours = jax.device_get(jax.jit(partial(_ours, experiment))(weights, noise))
    found = {}
    for variant in variants:
        for name, array in _theirs(config, variant, weights, noise).items():
            difference = np.linalg.norm(array - ours[name]) / np.linalg.norm(ours[name])
            found[f"{name} ({variant})"] = float(difference)
    return found


def _random(rng: np.random.Generator, path: Any, like: jax.ShapeDtypeStruct) -> ndarray:
    """Weights at which no bias is 0, no scale 1, and features keep about their size."""
    array = rng.normal(size=like.shape) / np.sqrt(np.prod(like.shape[:-1]))
    if like.ndim == 1:
        array = 0.1 * array + (path[-1].key in ("scale", "var"))
    return array.astype(like.dtype)


def _ours(experiment: Experiment, weights: Tree, noise: Tree) -> dict[str, Any]:
    gan = experiment.gan
    penalty_weight = experiment.config.loss.section["penalty_weight"]
    params, critic_params, batch_stats = weights
    z, real, mix = noise
    keys = jax.random.split(jax.random.key(0), len(z))  # of draws that the peer has none of

    def generate(params: Tree) -> jax.Array:
        variables = {"params": params, "batch_stats": batch_stats}
        return gan.generate(variables, Latents(z, keys))[0]

    def criticise(critic_params: Tree) -> Callable[[jax.Array], jax.Array]:
        return partial(gan.apply_critic, {"params": critic_params}, keys=keys)

    def loss(critic_params: Tree, fake: jax.Array) -> tuple[jax.Array, dict]:
        critic = criticise(critic_params)
        return critic_loss(critic, real, fake, mix, penalty_weight=penalty_weight)

    def loss_of_generator(params: Tree) -> jax.Array:
        return generator_loss(criticise(critic_params), generate(params))

    fake = generate(params)
    critic_gradients, figures = jax.grad(loss, has_aux=True)(critic_params, fake)
    value, gradients = jax.value_and_grad(loss_of_generator)(params)
    variables = {"params": params, "batch_stats": batch_stats}
    samples = gan.generator.apply(variables, z, train=False)
    return {
        "images": fake.transpose(0, 3, 1, 2),
        "samples": samples.transpose(0, 3, 1, 2),
        "critic_loss": figures["critic_loss"],
        "gradient_penalty": figures["gradient_penalty"],
        "generator_loss": value,
        "generator_gradient": _flat(generator_entries(gradients, {}), jnp.concatenate),
        "critic_gradient": _flat(critic_entries(critic_gradients), jnp.concatenate),
    }


def _theirs(config: Config, variant: str, weights: Tree, noise: Tree) -> dict[str, ndarray]:
    dtype = torch.from_numpy(noise[0]).dtype
    generator, critic = (player.to(dtype) for player in peer.make_players(config, variant))
    load(generator, generator_entries(weights[0], weights[2]))
    load(critic, critic_entries(weights[1]))
    z, real, mix = map(torch.from_numpy, noise)
    real = real.permute(0, 3, 1, 2)

    generator.eval()
    with torch.no_grad():
        samples = generator(z)
    generator.train()
    with torch.no_grad():
        fake = generator(z)
    penalty_weight = config.loss.section["penalty_weight"]
    loss, figures = peer.critic_loss(critic, real, fake, mix, penalty_weight)
    loss.backward()
    found = {"images": fake, "samples": samples} | figures
    del found["wasserstein"]  # a small difference of large means, within critic_loss
    found["critic_gradient"] = _gradient(critic)
    critic.requires_grad_(False)
    loss = peer.generator_loss(critic, generator(z))
    loss.backward()
    found |= {"generator_loss": loss, "generator_gradient": _gradient(generator)}
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def _gradient(player: nn.Module) -> torch.Tensor:
    gradients = {name: parameter.grad for name, parameter in player.named_parameters()}
    return _flat(gradients, torch.cat)


def _flat(gradients: dict[str, Any], concatenate: Callable[[list[Any]], Any]) -> Any:
    """One vector of all: some, as of a bias before a normalisation, are 0 but for rounding."""
    return concatenate([gradients[name].reshape(-1) for name in sorted(gradients)])


def load(player: nn.Module, entries: dict[str, ndarray]) -> None:
    """Sets all parameters and running averages of a peer's player."""
    tensors = {name: torch.tensor(np.asarray(a)) for name, a in entries.items()}
    left_out, unknown = player.load_state_dict(tensors, strict=False)
    constants = ("window", "where", "num_batches_tracked")
    left_out = [name for name in left_out if not name.endswith(constants)]
    assert not left_out and not unknown, f"not set: {left_out}, unknown: {unknown}"


def generator_entries(params: Tree, batch_stats: Tree) -> dict[str, ndarray]:
    """Our generator's parameters (or gradients) and running averages by the peer's names."""
    entries = {}
    for name, layer in params.items():
        path = f"layers.{name}"
        if name == "dense":
            entries["dense.weight"] = _from_map(layer["kernel"].T, side=4, axis=0)
        elif name.endswith("_norm"):
            entries |= {f"{path}.weight": layer["scale"], f"{path}.bias": layer["bias"]}
            for kind, array in batch_stats.get(name, {}).items():
                entries[f"{path}.running_{kind}"] = array
        elif name.endswith("_graph"):
            entries[f"{path}.bias"] = layer["bias"][:, None, None]
            entries[f"{path}.local.weight"] = _oihw(layer["local"]["kernel"])
            operator = _non_local_entries(layer["non_local"])
            entries |= {f"{path}.non_local.{key}": array for key, array in operator.items()}
        elif name == "to_image":
            entries[f"{path}.weight"] = layer["kernel"].T[:, :, None, None]
            entries[f"{path}.bias"] = layer["bias"]
        else:
            entries[f"{path}.weight"] = _oihw(layer["kernel"])
    return entries


def _non_local_entries(layer: Tree) -> dict[str, ndarray]:
    if "phi" in layer:  # PyG's network is given [h_i, h_j - h_i]
        return {"nn.0.weight": jnp.concatenate([layer["psi"], layer["phi"]]).T}
    w2, b2 = layer["w2"], layer["b2"]  # [Fh, C, O], [C, O]
    return {
        "conv.nn.0.weight": layer["w1"].T,
        "conv.nn.0.bias": layer["b1"],
        "conv.nn.2.weight": w2.reshape(len(w2), -1).T,
        "conv.nn.2.bias": b2.reshape(-1),
    }


def critic_entries(params: Tree) -> dict[str, ndarray]:
    """Our critic's parameters (or gradients) by the peer's names."""
    entries = {}
    convs = sorted(name for name in params if name != "dense")
    for number, name in enumerate(convs):
        entries[f"convs.{number}.weight"] = _oihw(params[name]["kernel"])
        entries[f"convs.{number}.bias"] = params[name]["bias"]
    features = len(params[convs[-1]]["bias"])
    kernel, bias = params["dense"]["kernel"], params["dense"]["bias"]
    side = round((len(kernel) // features) ** 0.5)
    return entries | {"dense.weight": _from_map(kernel.T, side, axis=1), "dense.bias": bias}


def _oihw(kernel: ndarray) -> ndarray:
    return kernel.transpose(3, 2, 0, 1)


def _from_map(matrix: ndarray, side: int, axis: int) -> ndarray:
    """Reorders an axis that enumerates (row, column, feature) to (feature, row, column)."""
    order = np.arange(matrix.shape[axis]).reshape(side * side, -1).T.reshape(-1)
    return matrix.take(order, axis)
