"""Instance noise: its schedule, its independence, and its keys."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.gan.instance_noise import InstanceNoise
from gcgan_jax.gan.rng import noise_keys
from tests.conftest import Tiny
from tests.gan.test_step import run

KEYS = noise_keys(jax.random.key(0), jnp.arange(40))


@pytest.mark.parametrize(("iteration", "expected"), [(0, 0.5), (3, 0.35), (10, 0.0), (11, 0.0)])
def test_deviation_of_real_and_generated_images_decays_to_zero(
    iteration: int, expected: float
) -> None:
    add = jax.jit(InstanceNoise(0.5, 10))
    real, fake = jnp.ones((40, 8, 8, 3)), jnp.zeros((40, 8, 8, 3))
    seen = add(real, fake, KEYS, iteration)
    noise = [np.asarray(x) - y for x, y in zip(seen, (real, fake), strict=True)]
    np.testing.assert_allclose([np.std(x) for x in noise], expected, rtol=0.03, atol=1e-8)
    np.testing.assert_allclose([np.mean(x) for x in noise], 0, atol=0.03)
    if expected:
        assert abs(np.corrcoef(*map(np.ravel, noise))[0, 1]) < 0.03
        part, _ = add(real[5:], fake[5:], KEYS[5:], iteration)
        np.testing.assert_array_equal(part, seen[0][5:])


def test_the_critic_sees_the_noise_while_there_is_any(tiny: Tiny) -> None:
    noise = {"instance_noise__sigma": 1e3, "instance_noise__decay_iterations": 1}
    _, metrics = run(tiny(loss__name="wgan", iterations_per_call=2, **noise), devices=1)
    assert metrics["instance_noise"].tolist() == [1e3, 0]
    for name in ("critic_gradients", "d_real", "d_fake"):  # proportional to the images' size
        noisy, later = np.abs(metrics[name])
        assert noisy > 30 * later, name
