"""Train the bundled classifier, which scores without downloads, on CIFAR-10's training split.

    python -m scripts.evaluation.train_classifier --data=TFDS_DIR --out=DIR

writes classifier.safetensors and classifier.json, the learning curve, after each epoch.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gcgan_jax.evaluation.networks.classifier import Classifier
from gcgan_jax.evaluation.networks.weights import CLASSIFIER
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import to_bytes
from scripts.evaluation.cifar10 import load

PADDING = 4  # largest shift in pixels; the border is filled by reflection


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    train = load(arguments.data, f"train[:{arguments.images}]")
    test = load(arguments.data, "test")
    steps = arguments.epochs * (len(train[0]) // arguments.batch_size)
    model, optimizer = Classifier(), make_optimizer(arguments, steps)
    variables = model.init(jax.random.key(arguments.seed), jnp.zeros((1, 32, 32, 3), jnp.uint8))
    size = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    print(f"{size:,} parameters, {steps:,} steps", flush=True)

    step = jax.jit(partial(update, model, optimizer), donate_argnums=(0, 1))
    opt_state = optimizer.init(variables["params"])
    rng = np.random.default_rng(arguments.seed)
    curve: list[dict[str, float]] = []
    start = time.perf_counter()
    for epoch in progress(range(1, arguments.epochs + 1), arguments.epochs, "epochs"):
        losses = []
        for images, labels in batches(*train, arguments.batch_size, rng):
            variables, opt_state, loss = step(variables, opt_state, images, labels)
            losses.append(loss)
        entry = {
            "epoch": epoch,
            "loss": float(np.mean(jax.device_get(losses))),
            "test_accuracy": accuracy(model, variables, *test),
            "seconds": round(time.perf_counter() - start),
        }
        curve.append(entry)
        print(json.dumps(entry), flush=True)
        write(arguments.out, variables, curve)


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="prepared TFDS directory")
    parser.add_argument("--out", type=Path, required=True, help="output directory")
    parser.add_argument("--epochs", type=int, default=18, help="passes over the images")
    parser.add_argument("--batch_size", type=int, default=128, help="images per step")
    parser.add_argument("--learning_rate", type=float, default=0.15, help="peak learning rate")
    parser.add_argument("--weight_decay", type=float, default=5e-4, help="of kernels only")
    parser.add_argument("--images", type=int, default=50_000, help="number of training images")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and batches")
    return parser.parse_args(argv)


def make_optimizer(arguments: argparse.Namespace, steps: int) -> optax.GradientTransformation:
    """Return SGD with Nesterov momentum, weight decay and a one-cycle cosine schedule."""
    schedule = optax.cosine_onecycle_schedule(steps, arguments.learning_rate, pct_start=0.25)
    return optax.chain(
        optax.add_decayed_weights(arguments.weight_decay, mask=is_kernel),
        optax.sgd(schedule, momentum=0.9, nesterov=True),
    )


def write(directory: Path, variables: dict, curve: list[dict[str, float]]) -> None:
    files = {CLASSIFIER: to_bytes(variables), "classifier.json": json.dumps(curve).encode()}
    for name, content in files.items():
        write_atomically(directory / name, lambda file, c=content: file.write(c))


def is_kernel(params: dict) -> dict:
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)


def batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield one epoch of batches, randomly shifted and mirrored."""
    order = rng.permutation(len(images))
    border = (PADDING, PADDING)
    for start in range(0, len(images) - batch_size + 1, batch_size):
        index = order[start : start + batch_size]
        padded = np.pad(images[index], ((0, 0), border, border, (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (32, 32), axis=(1, 2))
        down, right = rng.integers(0, 2 * PADDING + 1, (2, batch_size))
        shifted = windows[np.arange(batch_size), down, right].transpose(0, 2, 3, 1)
        mirrored = rng.random(batch_size) < 0.5
        yield np.where(mirrored[:, None, None, None], shifted[:, :, ::-1], shifted), labels[index]


def update(model, optimizer, variables, opt_state, images, labels):
    def loss(params):
        (_, logits), statistics = model.apply(
            variables | {"params": params}, images, train=True, mutable=["batch_stats"]
        )
        values = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return values.mean(), statistics

    (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(variables["params"])
    updates, opt_state = optimizer.update(gradients, opt_state, variables["params"])
    params = optax.apply_updates(variables["params"], updates)
    return {"params": params, **statistics}, opt_state, value


def accuracy(model: Classifier, variables: dict, images: np.ndarray, labels: np.ndarray) -> float:
    predict = jax.jit(lambda variables, images: model.apply(variables, images)[1].argmax(-1))
    parts = range(0, len(images), 500)
    hits = [predict(variables, images[i : i + 500]) == labels[i : i + 500] for i in parts]
    return float(np.concatenate(hits).mean())


if __name__ == "__main__":
    main()
