"""The compiled training step: n_critic critic updates, one generator update, on all devices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from flax.typing import VariableDict
from jax import Array, lax
from jax.stages import Lowered
from jaxtyping import Float, Int, Key

from gcgan_jax.data.pixels import scale
from gcgan_jax.errors import UserError
from gcgan_jax.gan.batch import Batch, draw_batch
from gcgan_jax.gan.feed import Drawn
from gcgan_jax.gan.instance_noise import InstanceNoise
from gcgan_jax.gan.losses.loss import Loss, Metrics
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import Optimizers, update_ema
from gcgan_jax.gan.penalties import Critic
from gcgan_jax.gan.rng import draw_choices, draw_images, update_key
from gcgan_jax.gan.state import NetworkState, State
from gcgan_jax.runtime.devices import AXIS

# Flat images in [-1, 1], by the key of an update.
Real = Callable[[Key[Array, ""]], Float[Array, "B pixels"]]


@runtime_checkable
class Step(Protocol):
    """The pmapped step: maps state, images and device indices to state and metrics."""

    def __call__(
        self, state: State, images: Array | Drawn, devices: Array
    ) -> tuple[State, Metrics]: ...

    def lower(self, state: State, images: Array | Drawn, devices: Array) -> Lowered: ...


@dataclass(frozen=True)
class Algorithm:
    """Everything that defines an iteration.

    Attributes:
        n_critic: critic updates per iteration.
        ema_decay: decay of the generator's EMA; None: no EMA.
        instance_noise: noise on all images that the critic sees in training; None: no noise.
    """

    gan: GAN
    loss: Loss
    optimizers: Optimizers
    n_critic: int
    ema_decay: float | None
    instance_noise: InstanceNoise | None = None


def make_train_step(
    algorithm: Algorithm,
    key: Array,
    *,
    batch_size: int,
    iterations_per_call: int,
    devices: Sequence[jax.Device],
    from_host: bool = False,
) -> Step:
    """Make the pmapped step(state, images, device_indices) -> state, metrics.

    One call runs `iterations_per_call` iterations; its metrics are [iterations_per_call] arrays.
    The state is replicated (see `replicate`); `device_indices`, [devices], only gives pmap an axis
    to map over. The input state is donated. Images are what `feed` yields: all of them, replicated,
    or those that the call draws. They are flat, [n, H * W * F]; in any other shape, a TPU would
    copy all of them in every call.

    Args:
        key: key of all random numbers of training.
        batch_size: batch size over all devices.
        devices: the devices of all processes, in the same order in each.
        from_host: whether images are `Drawn`.

    Raises:
        UserError: the batch size is not divisible by the number of devices.
    """
    check_batch(batch_size, len(devices))
    per_device = batch_size // len(devices)

    @jax.default_matmul_precision(algorithm.gan.matmul_precision)
    def step(state: State, images: Array | Drawn, _: Array) -> tuple[State, Metrics]:
        indices = lax.axis_index(AXIS) * per_device + jnp.arange(per_device)

        def real(key: Array) -> Array:
            if isinstance(images, Drawn):
                return scale(images.find(draw_choices(key, indices, images.total)))
            return draw_images(key, indices, images)

        def iterate(state: State, _: None) -> tuple[State, Metrics]:
            return train_iteration(algorithm, key, state, real, indices)

        return lax.scan(iterate, state, length=iterations_per_call)

    return jax.pmap(
        step,
        axis_name=AXIS,
        in_axes=(None, 0 if from_host else None, 0),
        out_axes=(None, None),
        donate_argnums=0,
        devices=devices,
    )


def check_batch(batch_size: int, devices: int) -> None:
    """Raise UserError unless the batch can be split evenly across the devices."""
    if batch_size % devices:
        raise UserError(
            f"config.batch_size = {batch_size} is not divisible by the {devices} devices: "
            f"choose a multiple of {devices}"
        )


def train_iteration(
    algorithm: Algorithm,
    key: Key[Array, ""],
    state: State,
    real: Real,
    indices: Int[Array, "B"],
) -> tuple[State, Metrics]:
    """Run n_critic critic updates and one generator update, thesis Algorithm 3.

    Args:
        state: state before the iteration.
        real: draws the real images of an update.
        indices: indices of this device's images in the global batch.

    Returns:
        The state after the iteration, and its metrics: losses, norms of their gradients with
        respect to all parameters of a network (averaged over devices and critic updates), and the
        learning rate.
    """
    iteration = state.iteration

    def batch_for(update: Array | int) -> Batch:
        of_update = update_key(key, iteration, update)
        return draw_batch(algorithm.gan, of_update, real(of_update), indices)

    def step(critic: NetworkState, update: Array) -> tuple[NetworkState, Metrics]:
        return critic_update(algorithm, state.generator, critic, batch_for(update), iteration)

    critic, critic_metrics = lax.scan(step, state.critic, jnp.arange(algorithm.n_critic))
    generator, metrics = generator_update(
        algorithm, state.generator, critic, batch_for(algorithm.n_critic), iteration
    )
    metrics = lax.pmean(jax.tree.map(jnp.mean, critic_metrics) | metrics, AXIS)
    metrics |= {"learning_rate": algorithm.optimizers.learning_rate(iteration)}
    if algorithm.instance_noise:
        noise = algorithm.instance_noise.standard_deviation(iteration)
        metrics |= {"instance_noise": noise}
    new_state = State(iteration + 1, generator, critic, state.ema)
    if algorithm.ema_decay is not None:
        ema = update_ema(state.ema, generator.variables, algorithm.ema_decay, new_state.iteration)
        new_state = new_state._replace(ema=ema)
    return new_state, metrics


def critic_update(
    algorithm: Algorithm,
    generator: NetworkState,
    critic: NetworkState,
    batch: Batch,
    iteration: Int[Array, ""],
) -> tuple[NetworkState, Metrics]:
    """Update the critic once; also return the parts of its loss."""
    gan, loss = algorithm.gan, algorithm.loss
    fake, _ = gan.generate(generator.variables, batch.latents, AXIS)
    real, fake = batch.as_seen(fake, algorithm.instance_noise, iteration)
    if critic.batch_stats:
        for images in (real, fake):
            seen = gan.critic_statistics(critic.variables, images, batch.critic_keys, AXIS)
            critic = critic._replace(batch_stats=seen)

    def objective(params: VariableDict) -> tuple[Array, Metrics]:
        critic_fn = bind_critic(gan, critic._replace(params=params), batch.critic_keys)
        return loss.critic_loss(critic_fn, real, fake, batch.loss_keys, iteration)

    gradients, metrics = jax.grad(objective, has_aux=True)(critic.params)
    critic, norm = apply_gradients(critic, gradients, algorithm.optimizers.critic)
    critic = critic._replace(params=loss.project(critic.params))
    return critic, metrics | {"critic_gradients": norm}


def generator_update(
    algorithm: Algorithm,
    generator: NetworkState,
    critic: NetworkState,
    batch: Batch,
    iteration: Int[Array, ""],
) -> tuple[NetworkState, Metrics]:
    """Update the generator once; also return its loss."""
    gan = algorithm.gan
    critic_fn = bind_critic(gan, critic, batch.critic_keys)

    def objective(params: VariableDict) -> tuple[Array, VariableDict]:
        variables = generator._replace(params=params).variables
        fake, batch_stats = gan.generate(variables, batch.latents, AXIS)
        real, fake = batch.as_seen(fake, algorithm.instance_noise, iteration)
        loss = algorithm.loss.generator_loss(critic_fn, real, fake, batch.loss_keys, iteration)
        return loss, batch_stats

    (loss, batch_stats), gradients = jax.value_and_grad(objective, has_aux=True)(generator.params)
    generator, norm = apply_gradients(generator, gradients, algorithm.optimizers.generator)
    metrics = {"generator_loss": loss, "generator_gradients": norm}
    return generator._replace(batch_stats=batch_stats), metrics


def bind_critic(gan: GAN, critic: NetworkState, keys: Key[Array, "B"]) -> Critic:
    """Return the critic as a function of images alone; see `GAN.apply_critic` for the keys."""
    return partial(gan.apply_critic, critic.variables, keys=keys, axis_name=AXIS)


@jax.named_scope("optimizer")
def apply_gradients(
    network: NetworkState, gradients: VariableDict, optimizer: optax.GradientTransformation
) -> tuple[NetworkState, Float[Array, ""]]:
    """Update a network by the devices' mean gradient; also return that gradient's norm."""
    gradients = lax.pmean(gradients, AXIS)
    updates, state = optimizer.update(gradients, network.optimizer)
    params = cast(VariableDict, optax.apply_updates(network.params, updates))
    return network._replace(params=params, optimizer=state), optax.tree.norm(gradients)
