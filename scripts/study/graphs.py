"""The graphs of a generator while it trained: how much of them stays, and what a pixel sees.

n images, N nodes of the layer, k neighbours.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy import ndarray
from PIL import Image

from gcgan_jax.storage.workdir import pictures
from scripts.study import gan
from scripts.study.jobs import Job

CHECKPOINTS = (100, 200)  # that are kept beside the last
LAYER = "block2_graph"


def commands(job: Job, root: Path, flags: Sequence[str]) -> list[list[str]]:
    """Return the command lines that train, unless that is done, and write the graphs."""
    (train,) = gan.commands(job, root, flags)
    read = [*train, "--mode=neighbours"]
    return [train, *([*read, f"--config.checkpoint={number}"] for number in _checkpoints(job))]


def result(job: Job, root: Path) -> dict[str, Any] | None:
    """Return the result of a job; None before it is finished.

    It is the overlap of each checkpoint's graph with the one before and, of the last checkpoint's
    first image, the neighbours of the middle pixel.
    """
    folder = pictures(job.workdir(root))
    paths = [folder / f"neighbours-{number:07}-{LAYER}.npz" for number in _checkpoints(job)]
    if not all(path.exists() for path in paths):
        return None
    graphs = [np.load(path)["neighbours"] for path in paths]
    _, N, k = graphs[-1].shape
    found = {
        "checkpoints": _checkpoints(job),
        "overlap": [overlap(*pair) for pair in pairwise(graphs)],
        "chance": k / (2 * N - k),
    }
    return found if job.seed else found | {"edges": edges_of_middle(paths[-1])}


def edges_of_middle(path: Path) -> dict[str, Any]:
    """Return an image that `--mode=neighbours` wrote, and the neighbours of its middle node."""
    with np.load(path) as stored:
        image, neighbours, gamma = (stored[name][0] for name in ("images", "neighbours", "gamma"))
    side = round(len(neighbours) ** 0.5)
    node = side // 2 * (side + 1)
    return {
        "side": side,
        "node": node,
        "neighbours": neighbours[node].tolist(),
        "weights": gamma[node].tolist(),
        "image": gan.small_png(Image.fromarray(image)),
    }


def overlap(a: Int[ndarray, "n N k"], b: Int[ndarray, "n N k"]) -> float:
    """Return the mean of |A & B| / |A | B| over nodes, A and B being their sets of neighbours.

    No node may list a neighbour twice.
    """
    k = a.shape[-1]
    common = (a[..., :, None] == b[..., None, :]).sum(axis=(-2, -1))
    return float((common / (2 * k - common)).mean())


def _checkpoints(job: Job) -> list[int]:
    return [*CHECKPOINTS, job.settings["num_iterations"]]
