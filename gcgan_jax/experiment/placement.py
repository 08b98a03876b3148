"""Where the training images are: on the devices, or on the host, which draws the batches."""

from collections.abc import Iterator, Sequence

import jax
from jax import Array

from gcgan_jax.config.schema import Config
from gcgan_jax.data.images import Images
from gcgan_jax.errors import UserError
from gcgan_jax.gan.feed import Drawn, from_devices, from_host
from gcgan_jax.runtime.memory import memory_limit


def make_feed(
    config: Config, key: Array, images: Images, devices: Sequence[jax.Device], start: int
) -> Iterator[Array] | Iterator[Drawn]:
    """Return the images of each call of the step after iteration `start`; see `gan.feed`.

    Args:
        key: key of all random numbers of training.
    """
    if config.data.placement == "device":
        return from_devices(images.train, devices)
    return from_host(
        images.train,
        key,
        devices,
        start=start,
        iterations_per_call=config.iterations_per_call,
        updates=config.n_critic + 1,
        batch_size=config.batch_size,
    )


def require_room(config: Config, images: Images, devices: Sequence[jax.Device]) -> None:
    """Raise UserError if the images that a device holds at a time are larger than its memory.

    On the host's side, these are the batches of a call and of the next one.
    """
    local = [device for device in devices if device.process_index == jax.process_index()]
    limit = config.data.device_limit or memory_limit(local)
    if limit is None:
        return
    n = len(images.train)
    room = f"bytes, but {limit} fit on a device"
    if config.data.placement == "device":
        if images.train.size > limit:
            raise UserError(
                f"the {n} training images have {images.train.size} {room}: set "
                "--config.data.placement=host, which draws the same images on the host"
            )
        return
    drawn = (config.n_critic + 1) * config.batch_size // len(devices)
    size = 2 * config.iterations_per_call * drawn * images.train[0].size
    if size > limit:
        raise UserError(
            f"config.iterations_per_call = {config.iterations_per_call}: the images of two calls "
            f"have {size} {room}: reduce it, or config.batch_size"
        )
