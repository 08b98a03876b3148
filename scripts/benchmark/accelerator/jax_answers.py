"""The JAX worker: `python -m scripts.benchmark.accelerator.jax_answers [--toy]`.

Each line on stdin is a request of `session.Workers`; each line on stdout is its result.
"""

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import numpy as np

from configs import quickstart
from gcgan_jax import __version__
from gcgan_jax.commands.check import checks
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from scripts.benchmark import timing
from scripts.benchmark.accelerator import profile
from scripts.benchmark.cases import TOY, config_of, parse
from scripts.benchmark.interleaved import answer_lines, describe_error
from scripts.benchmark.jax_worker import compile_iteration, make_iteration, make_run

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "torch", "torch_geometric")

Request = dict[str, Any]
Result = dict[str, Any]


def answer(request: Request, toy: bool) -> Result:
    """Return the result of a request, with the error in one line if there is one."""
    before = peak_bytes()
    try:
        result = ANSWERS[request["part"]](request, toy)
    except Exception as error:  # a case can fail in any way; the others are measured all the same
        return {"error": describe_error(error)}
    peak = peak_bytes()
    # The peak of the process cannot be reset: below an earlier one, that of a case is unknown.
    return result if peak is None or peak == before else result | {"peak_bytes": peak}


def peak_bytes() -> int | None:
    """Return the peak memory of the device so far; None if the device does not count it."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    return statistics.get("peak_bytes_in_use")


def environment(request: Request, toy: bool) -> Result:
    devices = jax.devices()
    return {
        "platform": devices[0].platform,
        "device": devices[0].device_kind,
        "devices": len(devices),
        "runtime": " ".join(devices[0].client.platform_version.split()),
        "python": platform.python_version(),
        "gcgan_jax": __version__,
        **{name: installed(name) for name in LIBRARIES},
    }


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def check(request: Request, toy: bool) -> Result:
    agreement = checks()[request["subject"]]()
    return {
        "error_at_highest": agreement.error,
        "error_at_default": agreement.default_error,
        "agrees": agreement.agrees,
    }


def measure(request: Request, toy: bool) -> Result:
    case = parse(request["subject"])
    run, at_once = make_run(case, toy), timing.calls_at_once(case)
    return timing.measure(run, jax.block_until_ready, request["seconds"], at_once)


def train(request: Request, toy: bool) -> Result:
    """Train for a number of iterations, or for most of the time that is left."""
    if request["subject"] == "quickstart":
        return train_quickstart(toy)
    end = time.perf_counter() + 0.8 * request["limit"]
    config = config_of(parse(request["subject"]), toy)
    run = make_iteration(make_experiment(config))
    calls = request["iterations"] // config.iterations_per_call
    done, seconds, metrics = advance(run, calls, end)
    if not done:
        raise TimeoutError("compilation took all the time")
    return {
        "iterations": done * config.iterations_per_call,
        "seconds": seconds,
        "wasserstein": float(metrics["wasserstein"][-1]),
        "finite": all(bool(np.isfinite(values).all()) for values in metrics.values()),
    }


def advance(
    run: Callable[[], Any], calls: int, end: float, clock: Callable[[], float] = time.perf_counter
) -> tuple[int, float, dict[str, np.ndarray]]:
    """Call the training step, and return the timed calls, their seconds, and the last metrics.

    Metrics are fetched after every call, as the program does. The first call is not timed.

    Args:
        calls: number of calls to time.
        end: time on the clock after which there is no further call.
    """
    metrics = jax.device_get(run()[1])
    start, done = clock(), 0
    while done < calls and clock() < end:
        metrics = jax.device_get(run()[1])
        done += 1
    return done, clock() - start, metrics


def train_quickstart(toy: bool) -> Result:
    """Run the program's training, with everything that it records."""
    from gcgan_jax.storage.metrics_log import read_entries
    from gcgan_jax.training.loop import train

    values = quickstart.get_config()
    if toy:
        values.update_from_flattened_dict(TOY | {"batch_size": 4, "diagnostic_images": 4})
        values.update_from_flattened_dict({"num_iterations": 5, "sample_images": 4})
        values.generator.graph_layer.graph.knn.k = 3
    experiment = make_experiment(from_mapping(values.to_dict()))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        train(experiment, Path(folder), devices=jax.local_devices()[:1])
        seconds = time.perf_counter() - start
        last = read_entries(Path(folder)).rows[-1]
    return {
        "iterations": experiment.config.num_iterations,
        "seconds_with_compilation": seconds,
        "iterations_per_second": last["iterations_per_second"],
        "wasserstein": last["wasserstein"],
        "finite": None not in last.values(),
    }


def profile_iteration(request: Request, toy: bool) -> Result:
    case = parse(request["subject"])
    step, state, constants = compile_iteration(make_experiment(config_of(case, toy)))
    state, _ = jax.block_until_ready(step(state, *constants))
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, profiler_options=profile.options()):
            jax.block_until_ready(step(state, *constants))
        return profile.summarise(profile.read(Path(folder)), step.as_text())


ANSWERS: dict[str, Callable[[Request, bool], Result]] = {
    "environment": environment,
    "operators": check,
    "speed": measure,
    "sampling": measure,
    "training": train,
    "profile": profile_iteration,
}

if __name__ == "__main__":
    reply = partial(answer, toy="--toy" in sys.argv)
    answer_lines(lambda: lambda line: reply(json.loads(line)))
