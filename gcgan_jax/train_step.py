"""The compiled training step: n_critic critic updates, one generator update, on all devices."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from gcgan_jax.config import Config
from gcgan_jax.devices import AXIS
from gcgan_jax.draws import draw_images, draw_latents, draw_mix, streams, update_key
from gcgan_jax.errors import UserError
from gcgan_jax.gan import GAN, build_gan
from gcgan_jax.losses import critic_loss, generator_loss
from gcgan_jax.optimizer import descend, linear_decay, make_direction, move_average
from gcgan_jax.state import Player, State, Tree

Metrics = dict[str, Array]


def make_train_step(config: Config, devices: Sequence[jax.Device]) -> Any:
    """pmapped step(state, images, device_numbers) -> state, metrics.

    One call does `iterations_per_call` iterations; its metrics are [iterations_per_call] arrays.
    State and images are whole on every device (see `replicate`), `device_numbers` (see `number`) is
    [devices] and only tells pmap over what to map. The state handed in is given up (donated).
    Images are flat, [n, H * W * F]: others a TPU would copy whole in every call. `devices` are
    those of all processes, in the same order in each.

    Raises:
        UserError: the batch does not divide by the devices.
    """
    check_batch(config.batch_size, len(devices))
    gan, direction = build_gan(config, AXIS), make_direction(config.optimizer)
    per_device = config.batch_size // len(devices)

    @jax.default_matmul_precision(config.matmul_precision)
    def step(state: State, images: Array, _: Array) -> tuple[State, Metrics]:
        positions = lax.axis_index(AXIS) * per_device + jnp.arange(per_device)
        iterate = partial(
            train_iteration, config, gan, direction, images=images, positions=positions
        )
        return lax.scan(lambda state, _: iterate(state), state, length=config.iterations_per_call)

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
    config: Config,
    gan: GAN,
    direction: optax.GradientTransformation,
    state: State,
    *,
    images: Array,
    positions: Array,
) -> tuple[State, Metrics]:
    """n_critic critic updates and one generator update, of thesis Algorithm 3.

    Args:
        state: before the iteration.
        images: the training images, uint8 [n, H * W * F].
        positions: [B], of this device's images in the global batch.

    Returns:
        The state after; and the losses and the norms of their gradients by all parameters of a
        player, averaged over devices and critic updates, with the learning rate.
    """
    key = streams(config.seed).training
    learning_rate = linear_decay(config.learning_rate, state.iteration, config.decay_iterations)

    @jax.named_scope("optimizer")
    def update(player: Player, gradients: Tree) -> tuple[Player, Array]:
        """The player after the update, and the norm of all its gradients together."""
        gradients = lax.pmean(gradients, AXIS)
        directions, optimizer = direction.update(gradients, player.optimizer)
        updated = Player(descend(player.params, directions, learning_rate), optimizer)
        return updated, optax.tree.norm(gradients)

    def fakes(params: Tree, key: Array) -> tuple[Array, dict]:
        z = draw_latents(key, positions, gan.latent_size)
        variables = {"params": params, "batch_stats": state.batch_stats}
        return gan.generator.apply(variables, z, train=True, mutable=["batch_stats"])

    def update_critic(critic: Player, number: Array) -> tuple[Player, Metrics]:
        drawn = update_key(key, state.iteration, number)
        fake, _ = fakes(state.generator.params, drawn)
        real = draw_images(drawn, positions, images).reshape(fake.shape)
        mix = draw_mix(drawn, positions)

        def loss(params: Tree) -> tuple[Array, Metrics]:
            apply = partial(gan.critic.apply, {"params": params})
            return critic_loss(apply, real, fake, mix, penalty_weight=config.penalty_weight)

        gradients, metrics = jax.grad(loss, has_aux=True)(critic.params)
        critic, norm = update(critic, gradients)
        return critic, metrics | {"critic_gradients": norm}

    critic, metrics = lax.scan(update_critic, state.critic, jnp.arange(config.n_critic))

    def loss(params: Tree) -> tuple[Array, dict]:
        fake, moved = fakes(params, update_key(key, state.iteration, config.n_critic))
        return generator_loss(partial(gan.critic.apply, {"params": critic.params}), fake), moved

    (value, moved), gradients = jax.value_and_grad(loss, has_aux=True)(state.generator.params)
    generator, norm = update(state.generator, gradients)
    of_generator = {"generator_loss": value, "generator_gradients": norm}
    metrics = lax.pmean(jax.tree.map(jnp.mean, metrics) | of_generator, AXIS)
    metrics |= {"learning_rate": learning_rate}
    state = State(
        iteration=state.iteration + 1,
        generator=generator,
        critic=critic,
        batch_stats=moved["batch_stats"],
        average=state.average,
    )
    if config.ema_decay:
        state = state._replace(
            average=move_average(
                state.average, state.generator_variables, config.ema_decay, state.iteration
            )
        )
    return state, metrics
