"""What the offline network's scores say of images whose quality is known.

    python -m scripts.evaluation.calibrate_scores --data=TFDS_DIR

prints a table: real test images, and what is made of them, scored against the training split.
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

BATCH = 250
CLASS = 7  # horses


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="prepared TFDS directory")
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/gcgan_jax"))
    arguments = parser.parse_args(argv)
    fields = default.get_config()
    fields.data.dir = arguments.data
    fields.eval.cache, fields.eval.batch_size = str(arguments.cache), BATCH
    experiment = make_experiment(from_mapping(fields.to_dict()))
    images, samples = experiment.load_images(), experiment.protocol.samples
    scorer = experiment.evaluator(images, jax.local_devices()).scorer
    random = np.random.default_rng(0)
    real = images.test[random.permutation(len(images.test))]
    first = True
    for name, made in {**alterations(real, random), "one class only": one_class(arguments)}.items():
        scores = scorer.score(in_batches(made[:samples], BATCH, jax.local_device_count()))
        if first:
            print(markdown.header("images", *scores))
            first = False
        values = [f"{score.value:.3g}" for score in scores.values()]
        print(markdown.row(name, *values), flush=True)


def alterations(real: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Real images, and what makes them worse."""
    n = len(real)

    def noisy(deviation: float) -> np.ndarray:
        noise = random.normal(scale=deviation, size=real.shape)
        return np.clip(real + noise, 0, 255).round().astype(np.uint8)

    return {
        "real, test split": real,
        "JPEG, quality 10": each(real, jpeg),
        "blurred, radius 0.7": each(real, lambda image: blur(image, 0.7)),
        "blurred, radius 2": each(real, lambda image: blur(image, 2)),
        "noise, deviation 10": noisy(10),
        "noise, deviation 40": noisy(40),
        "quarters of four images": collage(real, random),
        "50 images, 100 times each": np.tile(real[:50], (100, 1, 1, 1)),
        "noise alone": random.integers(0, 256, (n, 32, 32, 3)).astype(np.uint8),
    }


def one_class(arguments: argparse.Namespace) -> np.ndarray:
    """Training images of one class: they are real, but of one kind."""
    import tensorflow_datasets as tfds

    loaded = tfds.load(
        "cifar10", split="train", data_dir=arguments.data, download=False, batch_size=-1
    )
    return loaded["image"].numpy()[loaded["label"].numpy() == CLASS]


def each(images: np.ndarray, change: Callable[[Image.Image], Image.Image]) -> np.ndarray:
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])


def jpeg(image: Image.Image) -> Image.Image:
    stored = io.BytesIO()
    image.save(stored, format="jpeg", quality=10)
    return Image.open(stored)


def blur(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def collage(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each quarter of an image from another image, at the same place."""
    made = images.copy()
    for rows in (slice(0, 16), slice(16, 32)):
        for columns in (slice(0, 16), slice(16, 32)):
            made[:, rows, columns] = images[random.permutation(len(images)), rows, columns]
    return made


if __name__ == "__main__":
    main()
