"""Measure everything on one GPU or TPU: `python -m scripts.benchmark.accelerator --out=DIR`.

DIR/results.json and DIR/results.md are written after each measurement. Rerunning the same command
measures what is missing, and repeats what failed. Parts:

    operators  the operators' errors against their references, at highest and default precision
    speed      training iteration, kNN, EdgeConv and ECC, beside PyTorch on the same device
    sampling   images per second
    training   the quickstart, and 1,000 iterations of each network
    profile    what the device does in one iteration

PyTorch is measured where it is installed and can use the device. `--toy` runs on a CPU.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gcgan_jax.storage.atomic import write_text
from scripts.benchmark.accelerator.plan import BUDGET, FULL, PARTS, TOY, Measurement, plan
from scripts.benchmark.accelerator.report import report
from scripts.benchmark.accelerator.session import Workers, measure_all

PYTORCH_PLATFORMS = {"gpu": "cuda", "cpu": "cpu"}  # by JAX's name; there is no PyTorch on TPUs
PYTORCH = ("pytorch", "torch", "torch_geometric")  # may be installed between two runs
MAY_CHANGE = ("date", *PYTORCH)  # what a rerun need not have in common with the first run


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    from gcgan_jax.commands.check import checks  # imports JAX, which takes seconds

    sizes = TOY if arguments.toy else FULL
    with closing(Workers(arguments.out, sizes, arguments.toy)) as workers:
        environment = describe(workers, arguments.toy)
        pytorch = environment["pytorch"] is not None
        measurements = plan(arguments.parts, sizes, [*checks()], pytorch)
        path = arguments.out / "results.json"
        results = started(path, environment, measurements)

        def save(measurement: Measurement, result: dict[str, Any]) -> None:
            results["measured"].setdefault(measurement.part, {})[measurement.key] = result
            write(path, results)
            shown = result.get("error", "done")
            print(f"{measurement.part}: {measurement.key}: {shown}", flush=True)

        write(path, results)
        measure_all(measurements, results["measured"], workers.measure, save, arguments.budget)
    print(f"results: {path.with_suffix('.md')}")


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    parser.add_argument("--parts", type=parts, default=[*PARTS], help="some of them, e.g. a,b")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds for all parts")
    parser.add_argument("--toy", action="store_true", help="use toy sizes, on any device")
    return parser.parse_args(argv)


def parts(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        known = ", ".join(PARTS)
        raise argparse.ArgumentTypeError(f"unknown part {unknown[0]!r}: choose from {known}")
    return [name for name in PARTS if name in names]


def describe(workers: Workers, toy: bool) -> dict[str, Any]:
    """Return devices, versions and date; "pytorch" is None where its reference cannot run."""
    try:
        environment = workers.describe_jax()
    except (ChildProcessError, TimeoutError) as error:
        sys.exit(f"accelerator: JAX cannot start ({error}): see its message above")
    if "error" in environment:
        sys.exit(f"accelerator: JAX finds no device: {environment['error']}")
    if environment["platform"] == "cpu" and not toy:
        sys.exit(
            "accelerator: JAX finds only a CPU: install its plugin for the device "
            "(pip install -e '.[cuda]' or '.[tpu]'), or pass --toy"
        )
    environment["toy"] = toy
    environment["date"] = f"{datetime.now(UTC):%Y-%m-%d}"
    environment["pytorch"] = describe_pytorch(workers, environment["platform"])
    return environment


def describe_pytorch(
    workers: Workers, platform: str, find: Callable[[str], object] = find_spec
) -> dict[str, Any] | None:
    """Describe the PyTorch reference; None, and a line that says why, if it cannot run here."""
    platform = PYTORCH_PLATFORMS.get(platform, "")
    if not platform or not find("torch"):
        print("PyTorch is not installed, or not for this device: it is left out")
        return None
    try:
        pytorch = workers.describe_pytorch(platform)
    except (ChildProcessError, TimeoutError) as error:
        print(f"PyTorch cannot start ({error}): it is left out")
        return None
    if not pytorch["usable"]:
        print("PyTorch cannot use this device: it is left out")
        return None
    return pytorch


def started(
    path: Path, environment: dict[str, Any], measurements: Sequence[Measurement]
) -> dict[str, Any]:
    """Return the results to continue with."""
    results: dict[str, Any] = {"environment": environment, "planned": {}, "measured": {}}
    if path.exists():
        results = json.loads(path.read_text())
        for name in environment.keys() - set(MAY_CHANGE):
            before = results["environment"].get(name)
            if before != environment[name]:
                sys.exit(
                    f"accelerator: {path} was measured with {name} = {before}, and this is "
                    f"{environment[name]}: choose another --out"
                )
        for name in environment.keys() & set(PYTORCH):
            results["environment"][name] = environment[name] or results["environment"][name]
    for part in {measurement.part for measurement in measurements}:
        results["planned"][part] = sum(one.part == part for one in measurements)
    return results


def write(path: Path, results: dict[str, Any]) -> None:
    write_text(path, json.dumps(results, indent=1) + "\n")
    write_text(path.with_suffix(".md"), report(results))


if __name__ == "__main__":
    main()
