"""Trains the network that scores without downloads, on the training split of CIFAR-10.

    python -m scripts.evaluation.train_classifier --data=TFDS_DIR --out=gcgan_jax/evaluation

writes classifier.safetensors, and the learning curve as classifier.json, after each epoch.
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
import tensorflow_datasets as tfds

from gcgan_jax.evaluation.networks.classifier import Classifier
from gcgan_jax.evaluation.networks.weights import CLASSIFIER
from gcgan_jax.runtime.progress import progress
from gcgan_jax.storage.atomic import write_atomically
from gcgan_jax.storage.trees import to_bytes

PADDING = 4  # pixels by which an image is moved at most, its border being mirrored


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="prepared TFDS directory")
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=0.15, help="its largest value")
    parser.add_argument("--weight_decay", type=float, default=5e-4)
    parser.add_argument("--images", type=int, default=50_000, help="of the training split")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)

    train = load(arguments.data, f"train[:{arguments.images}]")
    test = load(arguments.data, "test")
    steps = arguments.epochs * (len(train[0]) // arguments.batch_size)
    schedule = optax.cosine_onecycle_schedule(steps, arguments.learning_rate, pct_start=0.25)
    optimizer = optax.chain(
        optax.add_decayed_weights(arguments.weight_decay, mask=is_kernel),
        optax.sgd(schedule, momentum=0.9, nesterov=True),
    )
    model = Classifier()
    variables = model.init(jax.random.key(arguments.seed), jnp.zeros((1, 32, 32, 3), jnp.uint8))
    size = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    print(f"{size:,} parameters, {steps:,} steps", flush=True)

    step = jax.jit(partial(update, model, optimizer), donate_argnums=(0, 1))
    opt_state = optimizer.init(variables["params"])
    random = np.random.default_rng(arguments.seed)
    curve: list[dict[str, float]] = []
    began = time.perf_counter()
    for epoch in progress(range(1, arguments.epochs + 1), arguments.epochs, "epochs"):
        losses = []
        for images, labels in batches(*train, arguments.batch_size, random):
            variables, opt_state, loss = step(variables, opt_state, images, labels)
            losses.append(loss)
        row = {
            "epoch": epoch,
            "loss": float(np.mean(jax.device_get(losses))),
            "test_accuracy": accuracy(model, variables, *test),
            "seconds": round(time.perf_counter() - began),
        }
        curve.append(row)
        print(json.dumps(row), flush=True)
        results = {CLASSIFIER: to_bytes(variables), "classifier.json": json.dumps(curve).encode()}
        for name, content in results.items():
            write_atomically(arguments.out / name, lambda file, c=content: file.write(c))


def load(directory: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 32, 32, 3] and labels [n]."""
    loaded = tfds.load("cifar10", split=split, data_dir=directory, download=False, batch_size=-1)
    return loaded["image"].numpy(), loaded["label"].numpy()


def is_kernel(params: dict) -> dict:
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)


def batches(
    images: np.ndarray, labels: np.ndarray, batch_size: int, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch of images moved and mirrored at random."""
    order = random.permutation(len(images))
    border = (PADDING, PADDING)
    for start in range(0, len(images) - batch_size + 1, batch_size):
        index = order[start : start + batch_size]
        padded = np.pad(images[index], ((0, 0), border, border, (0, 0)), mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (32, 32), axis=(1, 2))
        down, right = random.integers(0, 2 * PADDING + 1, (2, batch_size))
        moved = windows[np.arange(batch_size), down, right].transpose(0, 2, 3, 1)
        mirrored = random.random(batch_size) < 0.5
        yield np.where(mirrored[:, None, None, None], moved[:, :, ::-1], moved), labels[index]


def update(model, optimizer, variables, opt_state, images, labels):
    def loss(params):
        (_, logits), moved = model.apply(
            variables | {"params": params}, images, train=True, mutable=["batch_stats"]
        )
        values = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return values.mean(), moved

    (value, moved), gradients = jax.value_and_grad(loss, has_aux=True)(variables["params"])
    updates, opt_state = optimizer.update(gradients, opt_state, variables["params"])
    params = optax.apply_updates(variables["params"], updates)
    return {"params": params, **moved}, opt_state, value


def accuracy(model: Classifier, variables: dict, images: np.ndarray, labels: np.ndarray) -> float:
    predict = jax.jit(lambda variables, images: model.apply(variables, images)[1].argmax(-1))
    parts = range(0, len(images), 500)
    hits = [predict(variables, images[i : i + 500]) == labels[i : i + 500] for i in parts]
    return float(np.concatenate(hits).mean())


if __name__ == "__main__":
    main()
