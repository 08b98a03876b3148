"""What a non-local layer could gain on a data set at all, as `--mode=headroom` measures it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gcgan_jax.commands.headroom import first_images
from gcgan_jax.evaluation import headroom
from scripts.study.configured import make


def measure(settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the numbers of a config's data set, and the number of images of each split."""
    experiment = make(settings, seed)
    config = experiment.config
    count = config.show.headroom_images
    images = first_images(experiment.dataset.load(), count, config.data.name)
    return {"images": count, **asdict(headroom.measure(images.train, images.test))}
