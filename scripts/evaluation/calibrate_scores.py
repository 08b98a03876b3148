"""Scores by the bundled classifier for images of known quality.

    python -m scripts.evaluation.calibrate_scores --data=TFDS_DIR

scores real test images and altered ones against the training split, and prints a table.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from PIL import Image, ImageFilter

from configs import default
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.evaluation.features import in_batches
from gcgan_jax.experiment import make_experiment
from gcgan_jax.report import markdown
from scripts.evaluation.cifar10 import load

BATCH = 250
CLASS = 7  # horses


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="prepared TFDS directory")
    parser.add_argument(
        "--cache", type=Path, default=Path("~/.cache/gcgan_jax"), help="cache of features"
    )
    arguments = parser.parse_args(argv)
    fields = default.get_config()
    fields.data.dir = arguments.data
    fields.eval.cache, fields.eval.batch_size = str(arguments.cache), BATCH
    experiment = make_experiment(from_mapping(fields.to_dict()))
    images, samples = experiment.load_images(), experiment.protocol.samples
    scorer = experiment.evaluator(images, jax.local_devices()).scorer
    rng = np.random.default_rng(0)
    real = images.test[rng.permutation(len(images.test))]
    sets = {**alterations(real, rng), "one class only": one_class(arguments.data)}
    for number, (name, altered) in enumerate(sets.items()):
        scores = scorer.score(in_batches(altered[:samples], BATCH, jax.local_device_count()))
        if number == 0:
            print(markdown.header("images", *scores))
        values = [f"{score.value:.3g}" for score in scores.values()]
        print(markdown.row(name, *values), flush=True)


def alterations(real: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the real images and degraded versions of them."""
    n = len(real)

    def noisy(std: float) -> np.ndarray:
        noise = rng.normal(scale=std, size=real.shape)
        return np.clip(real + noise, 0, 255).round().astype(np.uint8)

    return {
        "real, test split": real,
        "JPEG, quality 10": each(real, jpeg),
        "blurred, radius 0.7": each(real, lambda image: blur(image, 0.7)),
        "blurred, radius 2": each(real, lambda image: blur(image, 2)),
        "noise, deviation 10": noisy(10),
        "noise, deviation 40": noisy(40),
        "quarters of four images": collage(real, rng),
        "50 images, 100 times each": np.tile(real[:50], (100, 1, 1, 1)),
        "noise alone": rng.integers(0, 256, (n, 32, 32, 3)).astype(np.uint8),
    }


def one_class(directory: str) -> np.ndarray:
    """Return the training images of one class: real, but not diverse."""
    images, labels = load(directory, "train")
    return images[labels == CLASS]


def each(images: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, format="jpeg", quality=10)
    return Image.open(buffer)


def blur(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def collage(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return images whose quarters each come from another image, at the same place."""
    mixed = images.copy()
    for rows in (slice(0, 16), slice(16, 32)):
        for columns in (slice(0, 16), slice(16, 32)):
            mixed[:, rows, columns] = images[rng.permutation(len(images)), rows, columns]
    return mixed


if __name__ == "__main__":
    main()
