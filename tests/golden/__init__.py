"""Golden runs: the first 20 entries of `metrics.jsonl` of six configs, as they once were.

They fail when anything that training computes changes. `python -m tests.golden --reason="…"`
records them again, and notes why in `recordings.jsonl`.
"""

import importlib
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401, sets devices and compiler flags before JAX starts

# isort: split
import jax

from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from gcgan_jax.training.loop import train

FOLDER = Path(__file__).parent
RUNS = ("quickstart", "baseline", "edge_conv", "ecc", "bfloat16", "two_devices")
ENTRIES = 20
VECTORS = ("avx", "fma", "sse")  # sets of instructions
RECORDINGS = FOLDER / "recordings.jsonl"

Entry = dict[str, float]


def run(name: str) -> list[Entry]:
    """The first entries that the run writes today, without its speed."""
    module = importlib.import_module(f"tests.golden.{name}")
    devices = jax.devices()[: getattr(module, "DEVICES", 1)]
    assert len(devices) == getattr(module, "DEVICES", 1)
    with tempfile.TemporaryDirectory() as workdir:
        experiment = make_experiment(from_mapping(module.get_config().to_dict()))
        train(experiment, Path(workdir), devices=devices)
        lines = (Path(workdir) / "metrics.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines[:ENTRIES]]
    for entry in entries:
        del entry["iterations_per_second"]
    return entries


def recorded(name: str) -> list[Entry]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def recorded_here(name: str) -> bool:
    """Whether this machine and these versions are those of the run's last recording."""
    recordings = map(json.loads, RECORDINGS.read_text().splitlines())
    *_, last = (recording for recording in recordings if name in recording["change"])
    return {field: last[field] for field in here()} == here()


def here() -> dict[str, Any]:
    """What the last bit of a number depends on."""
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    found = {name.strip(): value.strip() for name, _, value in pairs}
    return {
        "cpu": [found.get(name) for name in ("model name", "cpu family", "model")],
        "flags": [flag for flag in found.get("flags", "").split() if flag.startswith(VECTORS)],
        "versions": {name: version(name) for name in ("jaxlib", "flax", "optax", "numpy")},
    }
