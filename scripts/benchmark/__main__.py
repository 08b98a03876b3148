"""Benchmark against PyTorch: `python -m scripts.benchmark [--quick]`.

Needs `pip install -e '.[bench]'` and Linux. JAX and PyTorch run in one worker process each per
case, and their repetitions are interleaved, so that both meet the same load on the machine. The
fastest variant of the PyTorch reference is measured. `--check` verifies that both implementations
compute the same function.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gcgan_jax.report import markdown
from gcgan_jax.runtime.memory import available_bytes
from gcgan_jax.storage.atomic import write_text
from scripts.benchmark import flops
from scripts.benchmark.cases import (
    MATMUL,
    VARIANTS,
    Case,
    all_cases,
    blocks,
    choose,
    config_of,
    quick_cases,
    variants,
)
from scripts.benchmark.interleaved import MIB, Worker, interleave, processor

SLOW = 30.0  # seconds; a first repetition that takes longer is not discarded as a warm-up
REPETITIONS = 30  # at most
COLUMNS = (
    "case",
    "jax",
    "pytorch",
    "pytorch/jax",
    "jax MiB",
    "pytorch MiB",
    "of the matmul rate",
    "variant",
)

Entry = dict[str, Any]


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    if arguments.check:
        check()
        return
    try:
        cases = choose(arguments.cases) if arguments.cases else all_cases()
        if arguments.quick:
            cases = quick_cases()
        for case in cases:
            flops.count(case)  # fails before anything is timed
    except ValueError as error:
        sys.exit(f"benchmark: {error}")
    budget = 1.0 if arguments.quick else arguments.budget
    rate = matmul_rate()
    print(f"{machine()['cores']} cores; float32 matmul: {rate / 1e9:.0f} GFLOP/s\n")
    print(markdown.header(*COLUMNS), flush=True)
    entries = []
    for case in cases:
        entries.append(measure(case, budget, rate))
        print(table_row(entries[-1]), flush=True)
        if arguments.json:
            report = {"machine": machine(), "flops_per_second": rate, "cases": entries}
            write_text(arguments.json, json.dumps(report, indent=1))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="run a few cases, in three minutes")
    parser.add_argument(
        "--check", action="store_true", help="only verify that both compute the same function"
    )
    parser.add_argument("--cases", help="names or patterns, e.g. iteration:ecc:8@8,iteration:*@32")
    parser.add_argument(
        "--budget", type=float, default=60.0, help="seconds per implementation and case"
    )
    parser.add_argument("--json", type=Path, help="output file for all measurements")
    return parser.parse_args(argv)


def check() -> None:
    """Compare images, losses and gradients for equal weights and noise at the thesis's widths.

    In float64, as float32 rounding may swap two neighbours at almost the same distance.
    """
    import jax  # imported here, as torch is, to keep both out of the benchmarking process

    from gcgan_jax.experiment import make_experiment
    from scripts.benchmark import agreement

    for network, k in (("baseline", None), ("edge_conv", 8), ("ecc", 8)):
        experiment = make_experiment(config_of(Case("iteration", network, k, 4)))
        with jax.enable_x64(True):
            differences = agreement.check(experiment, VARIANTS)
        for name, difference in differences.items():
            print(f"{network} {name}: {difference:.1e}", flush=True)


def machine() -> Entry:
    packages = {name: version(name) for name in ("jax", "torch", "torch_geometric")}
    return processor() | packages


def jax_worker(case: Case) -> Worker:
    return Worker("jax", "scripts.benchmark.jax_worker", str(case))


def matmul_rate() -> float:
    """Return the FLOP/s of a large float32 matmul in JAX."""
    with closing(jax_worker(MATMUL)) as worker:
        worker.warm_up(SLOW)
        interleave([worker], math.inf, REPETITIONS)
        return flops.count(MATMUL) / worker.median


def measure(case: Case, budget: float, rate: float) -> Entry:
    """Return one entry: median times, peak memory, their ratio and JAX's share of `rate`."""
    theta_bytes = pytorch_bytes(case)
    with ExitStack() as stack:
        jax_ = stack.enter_context(closing(jax_worker(case)))
        jax_.warm_up(SLOW)
        pytorch = fastest_variant(case) if theta_bytes < available_bytes() else None
        if pytorch:
            stack.enter_context(closing(pytorch))
        interleave([worker for worker in (jax_, pytorch) if worker], budget, REPETITIONS)
    entry = {"case": str(case), "jax": summary(jax_), "flops": flops.count(case)}
    entry["share_of_rate"] = entry["flops"] / jax_.median / rate
    if not pytorch:
        return entry | {"pytorch_needs_bytes": theta_bytes}
    return entry | {"pytorch": summary(pytorch), "ratio": pytorch.median / jax_.median}


def fastest_variant(case: Case) -> Worker | None:
    """Return the PyTorch variant with the fastest warm repetition; None if all of them crash."""
    best = None
    for variant in variants(case):
        worker = Worker(variant, "scripts.benchmark.pytorch_worker", variant, str(case))
        try:
            worker.warm_up(SLOW)
            if not worker.seconds:
                worker.repeat()
        except ChildProcessError as error:
            print(f"{case}: {error}", file=sys.stderr)
            worker.close()
            continue
        if best and best.seconds[-1] <= worker.seconds[-1]:
            worker.close()
            continue
        if best:
            best.close()
        best = worker
    return best


def summary(worker: Worker) -> Entry:
    return {
        "variant": worker.name,
        "median_seconds": worker.median,
        "seconds": worker.seconds,
        "peak_bytes": worker.peak_bytes,
    }


def pytorch_bytes(case: Case) -> int:
    """Return the bytes of the weights Theta of all edges in PyTorch's ECC: B N k C O floats.

    Without gradients one layer's weights exist at a time; the backward pass holds those of all
    layers and the gradient of one. All other memory is small beside it and not counted.
    """
    if case.subject != "ecc":
        return 0
    layers = [block for block in blocks(config_of(case)) if block.graph]
    if case.task in ("forward", "gradient"):
        layers = layers[-1:]
    thetas = [
        4 * case.batch * block.side**2 * case.k * (block.features + 2) * block.features
        for block in layers
    ]
    stored = sum(thetas) if case.task in ("iteration", "gradient") else 0
    return stored + max(thetas)


def table_row(entry: Entry) -> str:
    jax_, pytorch = entry["jax"], entry.get("pytorch")
    if pytorch:
        cells = seconds(pytorch), f"{entry['ratio']:.2f}"
        memory, variant = mebibytes(pytorch["peak_bytes"]), pytorch["variant"]
    else:
        cells = "cannot run", "-"
        memory, variant = f"{mebibytes(entry['pytorch_needs_bytes'])} for Theta", "-"
    jax_memory, share = mebibytes(jax_["peak_bytes"]), f"{entry['share_of_rate']:.0%}"
    return markdown.row(entry["case"], seconds(jax_), *cells, jax_memory, memory, share, variant)


def seconds(measured: Entry) -> str:
    return f"{measured['median_seconds']:.3g} s"


def mebibytes(count: int) -> str:
    return f"{count / MIB:.0f}"


if __name__ == "__main__":
    main()
