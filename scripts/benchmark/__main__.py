"""Times our side and a PyTorch peer in turns: `python -m scripts.benchmark [--quick]`.

Needs `pip install -e '.[bench]'` and Linux. Every case runs one process for each side; they repeat
in turns, so that both see the same machine. Of the peer's variants the fastest is measured.
`--check` proves that both sides compute the same.
"""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from scripts.benchmark import flops as operations
from scripts.benchmark.cases import (
    MATMUL,
    SIDE,
    Case,
    all_cases,
    blocks,
    choose,
    config_of,
    quick_cases,
)
from scripts.benchmark.interleaved import Side, available_bytes

VARIANTS = ("eager", "channels_last", "compiled")
OPERATOR_VARIANTS = ("eager", "compiled")  # a list of nodes has no channels to be last
SLOW = 30.0  # seconds from which on a first repetition is not thrown away
REPETITIONS = 30  # at most
MIB = 2**20
COLUMNS = (
    "case",
    "ours",
    "peer",
    "peer/ours",
    "ours MiB",
    "peer MiB",
    "of the product's rate",
    "variant",
)

Row = dict[str, Any]


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
            operations.count(case)  # that it can be counted is known before anything is timed
    except ValueError as error:
        sys.exit(f"benchmark: {error}")
    budget = 1.0 if arguments.quick else arguments.budget
    rate = machine_rate()
    print(f"{machine()['cores']} cores; float32 matrix product: {rate / 1e9:.0f} GFLOP/s\n")
    print(markdown.header(*COLUMNS), flush=True)
    rows = []
    for case in cases:
        rows.append(measure(case, budget, rate))
        print(as_markdown(rows[-1]), flush=True)
        if arguments.json:
            report = {"machine": machine(), "flops_per_second": rate, "cases": rows}
            write_text(arguments.json, json.dumps(report, indent=1))


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few cases, in three minutes")
    parser.add_argument("--check", action="store_true", help="only prove that both are the same")
    parser.add_argument("--cases", help="names or patterns, as iteration:ecc:8@8,iteration:*@32")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds per side and case")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    return parser.parse_args(argv)


def check() -> None:
    """Same weights and noise, same images, losses and gradients at the thesis's widths.

    In float64: float32's rounding may swap two neighbours at almost the same distance.
    """
    import jax  # not in the process that benchmarks, nor is torch

    from gcgan_jax.experiment import make_experiment
    from scripts.benchmark import agreement as same_function

    for of, k in (("baseline", None), ("edge_conv", 8), ("ecc", 8)):
        experiment = make_experiment(config_of(Case("iteration", of, k, 4)))
        with jax.enable_x64(True):
            found = same_function.check(experiment, VARIANTS)
        for name, difference in found.items():
            print(f"{of} {name}: {difference:.1e}", flush=True)


def machine() -> Row:
    packages = {name: version(name) for name in ("jax", "torch", "torch_geometric")}
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":")[1].strip()
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), **packages}


def machine_rate() -> float:
    """Operations a second of a large float32 matrix product in JAX."""
    with closing(Side("ours", "scripts.benchmark.jax_worker", str(MATMUL))) as side:
        side.warm_up(SLOW)
        return operations.count(MATMUL) / statistics.median(side.go() for _ in range(REPETITIONS))


def measure(case: Case, budget: float, rate: float) -> Row:
    """One row: medians of both sides, peaks, the ratio, and our share of the machine's rate."""
    needed = peer_bytes(case)
    with ExitStack() as stack:
        ours = stack.enter_context(closing(Side("ours", "scripts.benchmark.jax_worker", str(case))))
        ours.warm_up(SLOW)
        peer = fastest(case) if needed < available_bytes() else None
        if peer:
            stack.enter_context(closing(peer))
        take_turns([side for side in (ours, peer) if side], budget)
    row = {"case": str(case), "ours": summary(ours), "operations": operations.count(case)}
    row["share_of_rate"] = row["operations"] / row["ours"]["median_seconds"] / rate
    if not peer:
        return row | {"peer_needs_bytes": needed}
    ratio = statistics.median(peer.seconds) / statistics.median(ours.seconds)
    return row | {"peer": summary(peer), "ratio": ratio}


def fastest(case: Case) -> Side | None:
    """The peer's variant with the fastest repetition after a warm-up; None if all have ended."""
    best = None
    network = case.what in ("iteration", "sampling")
    for variant in VARIANTS if network else OPERATOR_VARIANTS:
        side = Side(variant, "scripts.benchmark.pytorch_worker", variant, str(case))
        try:
            side.warm_up(SLOW)
            if not side.seconds:
                side.go()
        except ChildProcessError as error:
            print(f"{case}: {error}", file=sys.stderr)
            side.close()
            continue
        if best and best.seconds[-1] <= side.seconds[-1]:
            side.close()
            continue
        if best:
            best.close()
        best = side
    return best


def take_turns(sides: list[Side], budget: float) -> None:
    """Each side repeats until it has used its seconds, and at least once."""

    def wants(side: Side) -> bool:
        return not side.seconds or (sum(side.seconds) < budget and len(side.seconds) < REPETITIONS)

    while any(map(wants, sides)):
        for side in filter(wants, sides):
            side.go()


def summary(side: Side) -> Row:
    return {
        "side": side.name,
        "median_seconds": statistics.median(side.seconds),
        "seconds": side.seconds,
        "peak_bytes": side.peak_bytes,
    }


def peer_bytes(case: Case) -> int:
    """Bytes of the weights Theta that the peer's ECC makes for every edge: B N k C O floats.

    Without gradients those of one layer at a time; backward, those of all layers, and the gradient
    of one. Other memory is not counted: it is small beside it.
    """
    if case.of != "ecc":
        return 0
    maps = [block for block in blocks(config_of(case)) if block.graph]
    if case.what in ("forward", "gradient"):
        maps = [block for block in maps if block.side == SIDE]
    thetas = [
        4 * case.batch * block.side**2 * case.k * (block.features + 2) * block.features
        for block in maps
    ]
    kept = sum(thetas) if case.what in ("iteration", "gradient") else 0
    return kept + max(thetas)


def as_markdown(row: Row) -> str:
    ours = row["ours"]
    share = f"{row['share_of_rate']:.0%}"
    mine = [f"{ours['median_seconds']:.3g} s", mebibytes(ours)]
    if "peer" in row:
        peer = row["peer"]
        theirs = [f"{peer['median_seconds']:.3g} s", mebibytes(peer)]
        ratio, variant = f"{row['ratio']:.2f}", peer["side"]
    else:
        theirs = ["cannot run", f"{row['peer_needs_bytes'] / MIB:.0f} for Theta"]
        ratio, variant = "-", "-"
    return markdown.row(row["case"], mine[0], theirs[0], ratio, mine[1], theirs[1], share, variant)


def mebibytes(side: Row) -> str:
    return f"{side['peak_bytes'] / MIB:.0f}"


if __name__ == "__main__":
    main()
