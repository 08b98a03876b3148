"""Measurement of one row, in turns with its reference: kNN and EdgeConv, or ECC alone."""

import statistics
from contextlib import ExitStack, closing
from dataclasses import astuple
from importlib.metadata import version
from typing import Any

from gcgan_jax.config.schema import Config
from scripts.benchmark import flops
from scripts.benchmark.interleaved import Worker, processor
from scripts.benchmark.layers.rows import (
    REFERENCE,
    REFERENCES,
    ROWS,
    TASKS,
    Shape,
    config_of,
    kind,
)

FEWEST, MOST = 5, 30  # pairs of repetitions

Record = dict[str, Any]


def measure(row: str, shape: Shape, budget: float) -> Record:
    """Return a row's record: of each task the time, the ratio to the reference, FLOPs and bytes.

    Args:
        budget: seconds of each task's repetitions, both the row's and the reference's.

    Raises:
        UserError: a part or a field of the row does not exist.
        ValueError: there is no FLOPs formula, or the row does not run at this shape.
        ChildProcessError: a worker ended, e.g. for lack of memory.
    """
    operations = count(row, config_of(ROWS[row], shape.k), shape)
    with ExitStack() as stack:
        reference, worker = (
            stack.enter_context(closing(start(name, shape)))
            for name in (REFERENCES.get(kind(row), REFERENCE), row)
        )
        described = ask(worker, "describe")
        record = {"parameters": described["parameters"]}
        for task in TASKS:
            record[task] = {
                "flops": shape.batch * operations[task],
                "bytes": described["bytes"][task],
                **times(reference, worker, task, budget),
            }
    return record | {"machine": processor() | {"jax": version("jax")}}


def count(row: str, config: Config, shape: Shape) -> dict[str, int]:
    """Return the FLOPs of each task for one image."""
    N, F = shape.side**2, shape.features
    passes = flops.non_local(config, N, F, F)
    if kind(row) != "alone":
        passes += flops.graph(config, N, F)
    if kind(row) == "merge":
        passes += flops.by_weights(N, 9 * F, F)
    return {"forward": passes.forward, "gradient": passes.both}


def times(reference: Worker, worker: Worker, task: str, budget: float) -> Record:
    """Return both median seconds, and median and quartiles of their ratio in each pair of turns.

    A first repetition of each is a warm-up and does not count.
    """
    pairs: list[tuple[float, float]] = []
    ask(reference, task), ask(worker, task)
    while len(pairs) < FEWEST or (len(pairs) < MOST and sum(map(sum, pairs)) < budget):
        turn = slice(None, None, -1 if len(pairs) % 2 else 1)  # neither is always the first
        seconds = [ask(each, task)["seconds"] for each in (reference, worker)[turn]]
        pairs.append(tuple(seconds[turn]))
    low, ratio, high = statistics.quantiles((own / other for other, own in pairs), n=4)
    other_seconds, own_seconds = map(statistics.median, zip(*pairs, strict=True))
    return {
        "seconds": own_seconds,
        "reference_seconds": other_seconds,
        "ratio": ratio,
        "quartiles": [low, high],
        "pairs": len(pairs),
    }


def start(row: str, shape: Shape) -> Worker:
    return Worker(row, "scripts.benchmark.layers.worker", row, *map(str, astuple(shape)))


def ask(worker: Worker, request: str) -> Record:
    """Return a worker's answer.

    Raises:
        ValueError: the answer is an error.
        ChildProcessError: the worker ended.
    """
    answer = worker.ask(request)
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer
