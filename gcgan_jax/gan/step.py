"""The compiled training step: n_critic critic updates, one generator update, on all devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, cast, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array, lax
from jax.stages import Lowered
from jaxtyping import Float, Int, Key, UInt8

from gcgan_jax.errors import UserError
from gcgan_jax.gan.losses import Critic, Loss, Metrics
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import Optimizers, update_ema
from gcgan_jax.gan.rng import (
    Latents,
    critic_keys,
    draw_images,
    draw_latents,
    loss_keys,
    update_key,
)
from gcgan_jax.gan.state import NetworkState, State
from gcgan_jax.runtime.devices import AXIS


@runtime_checkable
class Step(Protocol):
    """The pmapped step: state, images and device numbers to state and metrics."""

    def __call__(self, state: State, images: Array, numbers: Array) -> tuple[State, Metrics]: ...

    def lower(self, state: State, images: Array, numbers: Array) -> Lowered: ...


@dataclass(frozen=True)
class Algorithm:
    """What one iteration does.

    Attributes:
        n_critic: critic updates.
        ema_decay: of the generator's average; None: none is kept.
    """

    gan: GAN
    loss: Loss
    optimizers: Optimizers
    n_critic: int
    ema_decay: float | None


class Batch(NamedTuple):
    """What one update sees: B images in [-1, 1], and what else it draws for each."""

    real: Float[Array, "B H W F"]
    latents: Latents
    loss_keys: Key[Array, "B"]
    critic_keys: Key[Array, "B"]


def make_train_step(
    algorithm: Algorithm,
    key: Array,
    *,
    batch_size: int,
    iterations_per_call: int,
    devices: Sequence[jax.Device],
) -> Step:
    """pmapped step(state, images, device_numbers) -> state, metrics.

    One call does `iterations_per_call` iterations; its metrics are [iterations_per_call] arrays.
    State and images are replicated (see `replicate`), `device_numbers` (see `number`) is [devices]
    and only tells pmap over what to map. The state handed in is donated. Images are flat,
    [n, H * W * F]: others a TPU would copy whole in every call.

    Args:
        key: of all that training draws.
        batch_size: over all devices.
        devices: those of all processes, in the same order in each.

    Raises:
        UserError: the batch does not divide by the devices.
    """
    check_batch(batch_size, len(devices))
    per_device = batch_size // len(devices)

    @jax.default_matmul_precision(algorithm.gan.matmul_precision)
    def step(state: State, images: Array, _: Array) -> tuple[State, Metrics]:
        positions = lax.axis_index(AXIS) * per_device + jnp.arange(per_device)

        def iterate(state: State, _: None) -> tuple[State, Metrics]:
            return train_iteration(algorithm, key, state, images, positions)

        return lax.scan(iterate, state, length=iterations_per_call)

    return jax.pmap(
        step,
        axis_name=AXIS,
        in_axes=(None, None, 0),
        out_axes=(None, None),
        donate_argnums=0,
        devices=devices,
    )


def check_batch(batch_size: int, devices: int) -> None:
    if batch_size % devices:
        raise UserError(
            f"config.batch_size = {batch_size} does not divide by the {devices} devices: "
            f"choose a multiple of {devices}"
        )


def train_iteration(
    algorithm: Algorithm,
    key: Key[Array, ""],
    state: State,
    images: UInt8[Array, "n pixels"],
    positions: Int[Array, "B"],
) -> tuple[State, Metrics]:
    """n_critic critic updates and one generator update, of thesis Algorithm 3.

    Args:
        state: before the iteration.
        images: the training images, each flat.
        positions: of this device's images in the global batch.

    Returns:
        The state after; and the losses and the norms of their gradients by all parameters of a
        network, averaged over devices and critic updates, with the learning rate.
    """
    iteration = state.iteration

    def batch_of(update: Array | int) -> Batch:
        return draw_batch(algorithm.gan, update_key(key, iteration, update), images, positions)

    def update(critic: NetworkState, number: Array) -> tuple[NetworkState, Metrics]:
        return critic_update(algorithm, state.generator, critic, batch_of(number), iteration)

    critic, critic_metrics = lax.scan(update, state.critic, jnp.arange(algorithm.n_critic))
    generator, metrics = generator_update(
        algorithm, state.generator, critic, batch_of(algorithm.n_critic), iteration
    )
    metrics = lax.pmean(jax.tree.map(jnp.mean, critic_metrics) | metrics, AXIS)
    metrics |= {"learning_rate": algorithm.optimizers.learning_rate(iteration)}
    after = State(iteration + 1, generator, critic, state.ema)
    if algorithm.ema_decay is not None:
        ema = update_ema(state.ema, generator.variables, algorithm.ema_decay, after.iteration)
        after = after._replace(ema=ema)
    return after, metrics


def draw_batch(
    gan: GAN,
    key: Key[Array, ""],
    images: UInt8[Array, "n pixels"],
    positions: Int[Array, "B"],
) -> Batch:
    """What an update draws from its key."""
    return Batch(
        real=draw_images(key, positions, images).reshape(-1, *gan.image_shape),
        latents=draw_latents(key, positions, gan.latent_size),
        loss_keys=loss_keys(key, positions),
        critic_keys=critic_keys(key, positions),
    )


def critic_update(
    algorithm: Algorithm,
    generator: NetworkState,
    critic: NetworkState,
    batch: Batch,
    iteration: Int[Array, ""],
) -> tuple[NetworkState, Metrics]:
    """The critic after one update, and the parts of its loss."""
    gan, loss = algorithm.gan, algorithm.loss
    fake, _ = gan.generate(generator.variables, batch.latents, AXIS)

    def objective(params: VariableDict) -> tuple[Array, Metrics]:
        judge = critic_function(gan, critic._replace(params=params), batch.critic_keys)
        return loss.critic_loss(judge, batch.real, fake, batch.loss_keys, iteration)

    gradients, metrics = jax.grad(objective, has_aux=True)(critic.params)
    critic, norm = descend(critic, gradients, algorithm.optimizers.critic)
    critic = critic._replace(params=loss.project(critic.params))
    return critic, metrics | {"critic_gradients": norm}


def generator_update(
    algorithm: Algorithm,
    generator: NetworkState,
    critic: NetworkState,
    batch: Batch,
    iteration: Int[Array, ""],
) -> tuple[NetworkState, Metrics]:
    """The generator after one update, and its loss."""
    gan = algorithm.gan
    judge = critic_function(gan, critic, batch.critic_keys)

    def objective(params: VariableDict) -> tuple[Array, VariableDict]:
        variables = generator._replace(params=params).variables
        fake, batch_stats = gan.generate(variables, batch.latents, AXIS)
        loss = algorithm.loss.generator_loss(judge, batch.real, fake, batch.loss_keys, iteration)
        return loss, batch_stats

    (value, batch_stats), gradients = jax.value_and_grad(objective, has_aux=True)(generator.params)
    generator, norm = descend(generator, gradients, algorithm.optimizers.generator)
    metrics = {"generator_loss": value, "generator_gradients": norm}
    return generator._replace(batch_stats=batch_stats), metrics


def critic_function(gan: GAN, critic: NetworkState, keys: Key[Array, "B"]) -> Critic:
    """The critic as a function of images alone; each draws from one of the keys, in turn."""
    return partial(gan.criticise, critic.variables, keys=keys)


@jax.named_scope("optimizer")
def descend(
    network: NetworkState, gradients: VariableDict, optimizer: optax.GradientTransformation
) -> tuple[NetworkState, Float[Array, ""]]:
    """The network after a step along the devices' mean gradient, and that gradient's norm."""
    gradients = lax.pmean(gradients, AXIS)
    updates, state = optimizer.update(gradients, network.optimizer)
    params = cast(VariableDict, optax.apply_updates(network.params, updates))
    return network._replace(params=params, optimizer=state), optax.tree.norm(gradients)
