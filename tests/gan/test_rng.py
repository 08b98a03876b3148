"""Random numbers depend only on seed, iteration, update and index in the global batch."""

import jax
import jax.numpy as jnp
import numpy as np

from gcgan_jax.data.pixels import scale
from gcgan_jax.gan.feed import choices
from gcgan_jax.gan.rng import (
    draw_choices,
    draw_images,
    draw_latents,
    draw_mix,
    loss_keys,
    run_keys,
    update_key,
)

KEY = run_keys(0).training


def test_part_of_a_batch_gets_the_numbers_of_the_full_batch() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 2, 2, 3)).astype(np.uint8)
    for draw in (
        lambda indices: draw_latents(KEY, indices, 7).z,
        lambda indices: draw_images(KEY, indices, jnp.asarray(images)),
        lambda indices: draw_mix(loss_keys(KEY, indices)),
    ):
        full, part = jax.jit(draw)(jnp.arange(8)), jax.jit(draw)(jnp.arange(5, 8))
        np.testing.assert_array_equal(full[5:], part)


def test_seeds_iterations_updates_and_indices_are_independent() -> None:
    keys = [
        update_key(run_keys(seed).training, iteration, update)
        for seed in (0, 1)
        for iteration in range(3)
        for update in range(3)
    ]
    drawn = np.concatenate([draw_latents(key, jnp.arange(4), 1).z[:, 0] for key in keys])
    assert len(np.unique(drawn)) == len(drawn)


def test_latents_are_standard_normal_and_mix_uniform() -> None:
    z = np.asarray(draw_latents(KEY, jnp.arange(500), 40).z)
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    mix = np.asarray(draw_mix(loss_keys(KEY, jnp.arange(2000))))
    assert mix.min() >= 0
    assert mix.max() < 1
    assert abs(mix.mean() - 0.5) < 0.03


def test_choices_ahead_are_those_of_the_updates() -> None:
    drawn = choices(KEY, 7, shape=(2, 3, 4), n=1000)
    for iteration, update in ((7, 0), (8, 2)):
        expected = draw_choices(update_key(KEY, iteration, update), jnp.arange(4), 1000)
        np.testing.assert_array_equal(drawn[iteration - 7, update], expected)


def test_images_are_drawn_with_replacement_from_all_and_scaled() -> None:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None]
    drawn = np.asarray(draw_images(KEY, jnp.arange(1000), jnp.asarray(images)))[:, 0, 0, 0]
    counts = np.unique(drawn, return_counts=True)[1]
    assert len(counts) == 10
    assert counts.min() > 60
    np.testing.assert_array_equal(scale(jnp.array([0, 255], jnp.uint8)), [-1, 1])
