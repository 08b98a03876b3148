"""Check that gcgan_jax and the PyTorch reference compute the same function.

Given the same weights and noise, images, losses and gradients must agree. Weights are converted
between the two layouts here: HWIO and OIHW, NHWC and NCHW in flattened feature maps.
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
from gcgan_jax.gan.losses.wgan_gp import critic_loss, generator_loss
from gcgan_jax.gan.rng import Latents
from scripts.benchmark import pytorch_training as training
from scripts.benchmark.pytorch_networks import make_networks

TOLERANCE = 1e-4  # of the relative difference in 2-norm

Tree = Any


def check(
    experiment: Experiment, variants: Sequence[str] = ("eager",), batch: int = 4
) -> dict[str, float]:
    """Return the relative differences, all of which are at most TOLERANCE.

    Raises:
        AssertionError: one is larger.
    """
    actual = differences(experiment, variants, batch)
    for name, difference in actual.items():
        assert difference <= TOLERANCE, f"{name} differs by {difference:.1e}"
    return actual


def differences(experiment: Experiment, variants: Sequence[str], batch: int) -> dict[str, float]:
    """Return ||pytorch - jax|| / ||jax|| of each output, for equal weights and noise."""
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
    expected = jax.device_get(jax.jit(partial(_jax_outputs, experiment))(weights, noise))
    relative = {}
    for variant in variants:
        for name, array in _pytorch_outputs(config, variant, weights, noise).items():
            difference = np.linalg.norm(array - expected[name]) / np.linalg.norm(expected[name])
            relative[f"{name} ({variant})"] = float(difference)
    return relative


def _random(rng: np.random.Generator, path: Any, like: jax.ShapeDtypeStruct) -> ndarray:
    """Return weights with no bias of 0 and no scale of 1, which about preserve features' norms."""
    array = rng.normal(size=like.shape) / np.sqrt(np.prod(like.shape[:-1]))
    if like.ndim == 1:
        array = 0.1 * array + (path[-1].key in ("scale", "var"))
    return array.astype(like.dtype)


def _jax_outputs(experiment: Experiment, weights: Tree, noise: Tree) -> dict[str, Any]:
    gan = experiment.gan
    penalty_weight = experiment.config.loss.section["penalty_weight"]
    params, critic_params, batch_stats = weights
    z, real, mix = noise
    keys = jax.random.split(jax.random.key(0), len(z))  # for random layers, which PyTorch lacks

    def generate(params: Tree) -> jax.Array:
        variables = {"params": params, "batch_stats": batch_stats}
        return gan.generate(variables, Latents(z, keys))[0]

    def criticise(critic_params: Tree) -> Callable[[jax.Array], jax.Array]:
        return partial(gan.apply_critic, {"params": critic_params}, keys=keys)

    def critic_objective(critic_params: Tree, fake: jax.Array) -> tuple[jax.Array, dict]:
        critic = criticise(critic_params)
        return critic_loss(critic, real, fake, mix, penalty_weight=penalty_weight)

    def generator_objective(params: Tree) -> jax.Array:
        return generator_loss(criticise(critic_params), generate(params))

    fake = generate(params)
    critic_gradients, metrics = jax.grad(critic_objective, has_aux=True)(critic_params, fake)
    value, gradients = jax.value_and_grad(generator_objective)(params)
    variables = {"params": params, "batch_stats": batch_stats}
    samples = gan.generator.apply(variables, z, train=False)
    return {
        "images": fake.transpose(0, 3, 1, 2),
        "samples": samples.transpose(0, 3, 1, 2),
        "critic_loss": metrics["critic_loss"],
        "gradient_penalty": metrics["gradient_penalty"],
        "generator_loss": value,
        "generator_gradient": _flat(generator_entries(gradients, {}), jnp.concatenate),
        "critic_gradient": _flat(critic_entries(critic_gradients), jnp.concatenate),
    }


def _pytorch_outputs(
    config: Config, variant: str, weights: Tree, noise: Tree
) -> dict[str, ndarray]:
    dtype = torch.from_numpy(noise[0]).dtype
    generator, critic = (network.to(dtype) for network in make_networks(config, variant))
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
    loss, metrics = training.critic_loss(critic, real, fake, mix, penalty_weight)
    loss.backward()
    outputs = {"images": fake, "samples": samples} | metrics
    del outputs["wasserstein"]  # a small difference of large means; within critic_loss
    outputs["critic_gradient"] = _gradient(critic)
    critic.requires_grad_(False)
    loss = training.generator_loss(critic, generator(z))
    loss.backward()
    outputs |= {"generator_loss": loss, "generator_gradient": _gradient(generator)}
    return {name: tensor.detach().numpy() for name, tensor in outputs.items()}


def _gradient(network: nn.Module) -> torch.Tensor:
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return _flat(gradients, torch.cat)


def _flat(gradients: dict[str, Any], concatenate: Callable[[list[Any]], Any]) -> Any:
    """Return all gradients as one vector, as some are 0 up to rounding (biases before norms)."""
    return concatenate([gradients[name].reshape(-1) for name in sorted(gradients)])


def load(network: nn.Module, entries: dict[str, ndarray]) -> None:
    """Set all parameters and running averages of a PyTorch network."""
    tensors = {name: torch.tensor(np.asarray(a)) for name, a in entries.items()}
    missing, unknown = network.load_state_dict(tensors, strict=False)
    constants = ("window", "coordinates", "num_batches_tracked")
    missing = [name for name in missing if not name.endswith(constants)]
    assert not missing and not unknown, f"not set: {missing}, unknown: {unknown}"


def generator_entries(params: Tree, batch_stats: Tree) -> dict[str, ndarray]:
    """Return the generator's parameters (or gradients) and running averages by PyTorch's names."""
    entries = {}
    for name, layer in params.items():
        path = f"layers.{name}"
        if name == "dense":
            entries["dense.weight"] = _from_nhwc(layer["kernel"].T, side=4, axis=0)
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
    if "phi" in layer:  # PyG's network takes [h_i, h_j - h_i]
        return {"nn.0.weight": jnp.concatenate([layer["psi"], layer["phi"]]).T}
    w2, b2 = layer["w2"], layer["b2"]  # [Fh, C, O], [C, O]
    return {
        "conv.nn.0.weight": layer["w1"].T,
        "conv.nn.0.bias": layer["b1"],
        "conv.nn.2.weight": w2.reshape(len(w2), -1).T,
        "conv.nn.2.bias": b2.reshape(-1),
    }


def critic_entries(params: Tree) -> dict[str, ndarray]:
    """Return the critic's parameters (or gradients) by PyTorch's names."""
    entries = {}
    convs = sorted(name for name in params if name != "dense")
    for number, name in enumerate(convs):
        entries[f"convs.{number}.weight"] = _oihw(params[name]["kernel"])
        entries[f"convs.{number}.bias"] = params[name]["bias"]
    features = len(params[convs[-1]]["bias"])
    kernel, bias = params["dense"]["kernel"], params["dense"]["bias"]
    side = round((len(kernel) // features) ** 0.5)
    return entries | {"dense.weight": _from_nhwc(kernel.T, side, axis=1), "dense.bias": bias}


def _oihw(kernel: ndarray) -> ndarray:
    return kernel.transpose(3, 2, 0, 1)


def _from_nhwc(matrix: ndarray, side: int, axis: int) -> ndarray:
    """Reorder an axis that enumerates (row, column, feature) to (feature, row, column)."""
    order = np.arange(matrix.shape[axis]).reshape(side * side, -1).T.reshape(-1)
    return matrix.take(order, axis)
