"""Golden runs: the recorded first 20 entries of `metrics.jsonl` for six configs.

Their test fails when any value that training computes changes. To record them again with a reason,
which is added to `recordings.jsonl`, run `python -m tests.golden --reason="…"`.
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
VECTORS = ("avx", "fma", "sse")  # instruction sets
RECORDINGS = FOLDER / "recordings.jsonl"

Entry = dict[str, float]


def run(name: str, entries: int = ENTRIES) -> list[Entry]:
    """Return the first entries that the run writes now, without its speed and memory."""
    module = importlib.import_module(f"tests.golden.{name}")
    devices = jax.devices()[: getattr(module, "DEVICES", 1)]
    assert len(devices) == getattr(module, "DEVICES", 1)
    with tempfile.TemporaryDirectory() as workdir:
        config = module.get_config()
        # The first iteration has an entry, too. The learning rate stays the same.
        config.num_iterations = config.log_every * (entries - (config.log_every > 1))
        experiment = make_experiment(from_mapping(config.to_dict()))
        train(experiment, Path(workdir), devices=devices)
        lines = (Path(workdir) / "metrics.jsonl").read_text().splitlines()
    first = [json.loads(line) for line in lines[:entries]]
    for entry in first:
        del entry["iterations_per_second"], entry["peak_memory_gib"]
    return first


def recorded(name: str) -> list[Entry]:
    """Return the recorded entries of a run."""
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines()]


def recorded_here(name: str) -> bool:
    """Return whether the run was last recorded in this environment."""
    recordings = map(json.loads, RECORDINGS.read_text().splitlines())
    *_, last = (recording for recording in recordings if name in recording["change"])
    return {field: last[field] for field in environment()} == environment()


def environment() -> dict[str, Any]:
    """Describe everything that the last bit of a result depends on."""
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    cpuinfo = {name.strip(): value.strip() for name, _, value in pairs}
    return {
        "cpu": [cpuinfo.get(name) for name in ("model name", "cpu family", "model")],
        "flags": [flag for flag in cpuinfo.get("flags", "").split() if flag.startswith(VECTORS)],
        "versions": {name: version(name) for name in ("jaxlib", "flax", "optax", "numpy")},
    }
