"""Images from the host: those that the devices would draw from all images, bit for bit."""

from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gcgan_jax.gan.feed import Drawn, from_host
from gcgan_jax.gan.rng import draw_choices, run_keys, update_key

KEY = run_keys(0).training
IMAGES = np.random.default_rng(0).integers(0, 256, (40, 2, 2, 3), np.uint8)
ITERATIONS, UPDATES, BATCH = 3, 2, 8  # of a call


@pytest.mark.parametrize("devices", [1, 4])
def test_devices_find_the_images_that_they_draw(devices: int) -> None:
    used = jax.devices()[:devices]
    flat = IMAGES.reshape(len(IMAGES), -1)
    sizes = {"iterations_per_call": ITERATIONS, "updates": UPDATES, "batch_size": BATCH}
    feed = from_host(IMAGES, KEY, used, start=5, **sizes)

    @jax.jit
    def find(part: Drawn, iteration: int, update: int, indices: jax.Array) -> tuple:
        chosen = draw_choices(update_key(KEY, iteration, update), indices, part.total)
        return part.find(chosen), chosen

    seen = set()
    for call, drawn in enumerate(islice(feed, 2)):
        assert drawn.total == len(IMAGES)
        for device, indices in enumerate(jnp.arange(BATCH).reshape(devices, -1)):
            mine = jax.tree.map(lambda leaf, device=device: np.asarray(leaf)[device], drawn)
            for iteration in range(ITERATIONS):
                for update in range(UPDATES):
                    number = 5 + call * ITERATIONS + iteration
                    found, chosen = find(mine, number, update, indices)
                    np.testing.assert_array_equal(found, flat[chosen])
                    seen |= set(np.asarray(chosen).tolist())
        shards = {shard.device for shard in drawn.images.addressable_shards}
        assert shards == set(used) and len(drawn.images) == devices
    assert len(seen) > 30
