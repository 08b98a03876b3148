"""Compiles the training step for an accelerator that is not there: time, memory, operations.

The extra `ahead` brings the compilers (1.3 GB, and into an environment of its own, since JAX looks
for the accelerators of whatever it finds installed):

    python3 -m venv .ahead && .ahead/bin/pip install -e '.[ahead]'
    .ahead/bin/python -m scripts.benchmark.aot --target=v5e --config=configs/ecc.py:32
    .ahead/bin/python -m scripts.benchmark.aot --target=v5e --target=h100 --all --json=ahead.json

`--all` takes the rows of the thesis's Table 4.1, and ECC at k = 32 with batch 32, each in a process
of its own. What is compiled is `make_train_step`, as training runs it, for one chip with the whole
batch.

Memory is that of the compiled program: arguments (state and training images), outputs without
those that take an argument's place, temporaries and code. Workspaces of libraries come on top. GPU
kernels are not tuned, since that needs a GPU. Operations are the TPU compiler's count, which takes
the body of a loop once: one of the n_critic critic updates, and of a batch's graphs the first
eight images.
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absl import app, flags
from ml_collections import config_flags

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text

ROOT = Path(__file__).parents[2]
CONFIGS = (
    "configs/baseline.py",
    "configs/edge_conv.py:8",
    "configs/edge_conv.py:16",
    "configs/edge_conv.py:32",
    "configs/ecc.py:8",
    "configs/ecc.py:16",
    "configs/ecc.py:32",
    "configs/ecc.py:32,constant",
)
COLUMNS = (
    "chip",
    "config",
    "batch",
    "compiled in",
    "CPU time",
    "memory",
    "temporaries",
    "operations, loop bodies once",
)
CIFAR10_IMAGES = 50_000
GIB = 2**30


@dataclass(frozen=True)
class Target:
    """A chip, and what `get_topology_desc` asks its compiler for."""

    chip: str
    memory: int  # GiB
    compiler: str  # the module that must be installed
    topology: dict[str, str]


H100 = Path(__file__).with_name("h100.txtpb").read_text()
TARGETS = {
    "v5e": Target("TPU v5e", 16, "libtpu", {"platform": "tpu", "topology_name": "v5e:2x2"}),
    "v4": Target("TPU v4", 32, "libtpu", {"platform": "tpu", "topology_name": "v4:2x2x1"}),
    "h100": Target(
        "H100",
        80,
        "jax_cuda12_plugin",
        {"platform": "cuda", "topology": "1x1x1", "target_config": H100},
    ),
}

CONFIG = config_flags.DEFINE_config_file("config", None, "Config file: configs/ecc.py:32.")
ALL = flags.DEFINE_bool("all", False, "Compile every row of Table 4.1 instead of --config.")
TARGET = flags.DEFINE_multi_enum("target", ["v5e", "h100"], list(TARGETS), "Chips; repeatable.")
JSON = flags.DEFINE_string("json", None, "File to write the figures to.")

Figures = dict[str, Any]


def main(_: list[str]) -> None:
    if ALL.value == (CONFIG.value is not None):
        sys.exit("compile_ahead: name a config file with --config, or take --all")
    for name in TARGET.value:
        if importlib.util.find_spec(TARGETS[name].compiler) is None:
            sys.exit(
                f"compile_ahead: no compiler for {TARGETS[name].chip} is installed: "
                "pip install -e '.[ahead]', in an environment of its own"
            )
    print(markdown.header(*COLUMNS), flush=True)
    rows: list[Figures] = []
    for target in TARGET.value:
        for config in CONFIGS if ALL.value else [None]:
            rows.append(in_child(target, config) if config else compile_step(target))
            print(table_row(rows[-1]), flush=True)
            if JSON.value:
                write_text(Path(JSON.value), json.dumps(rows, indent=1) + "\n")


def in_child(target: str, config: str) -> Figures:
    """`compile_step` in a process of its own, which may end without an answer."""
    with tempfile.TemporaryDirectory() as directory:
        answer = Path(directory, "figures.json")
        arguments = [f"--target={target}", f"--config={config}", f"--json={answer}"]
        command = [sys.executable, "-m", "scripts.benchmark.aot", *arguments]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        if answer.exists():
            return json.loads(answer.read_text())[0]
    return {"target": target, "config": config, "error": f"ended with code {done.returncode}"}


def compile_step(name: str) -> Figures:
    """What the compiler says of the training step of --config on one chip of a target."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # of this machine
    os.environ["TPU_SKIP_MDS_QUERY"] = "1"  # it is no TPU's host
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what else it has not
    import jax
    from jax.experimental.topologies import get_topology_desc

    from gcgan_jax.config.schema import from_mapping
    from gcgan_jax.experiment import make_experiment

    experiment, target = make_experiment(from_mapping(CONFIG.value.to_dict())), TARGETS[name]
    device = get_topology_desc(**target.topology).devices[0]
    figures = {
        "target": name,
        "config": config_flags.get_config_filename(flags.FLAGS["config"]),
        "device": device.device_kind,
        "devices": 1,
        "batch_per_device": experiment.config.batch_size,
    }
    lowered = experiment.train_step([device]).lower(*step_arguments(experiment))
    began, processor = time.perf_counter(), time.process_time()
    try:
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        return figures | {"error": str(error).splitlines()[0]}
    return figures | {
        "compile_seconds": time.perf_counter() - began,
        "processor_seconds": time.process_time() - processor,
        "memory": memory(compiled.memory_analysis()),
        "operations": (compiled.cost_analysis() or {}).get("flops"),
    }


def step_arguments(experiment: Any) -> tuple[Any, ...]:
    """Shapes of the state, the training images and the device numbers of one device."""
    import jax

    images = experiment.config.data.section.get("num_train", CIFAR10_IMAGES)
    return (
        experiment.state_shapes(),
        jax.ShapeDtypeStruct((images, math.prod(experiment.gan.image_shape)), "uint8"),
        jax.ShapeDtypeStruct((1,), "int32"),
    )


def memory(plan: Any) -> dict[str, int]:
    """Bytes on the device, by what they hold."""
    parts = {
        "arguments": plan.argument_size_in_bytes,
        "outputs": plan.output_size_in_bytes - plan.alias_size_in_bytes,
        "temporaries": plan.temp_size_in_bytes,
        "code": plan.generated_code_size_in_bytes,
    }
    return parts | {"total": sum(parts.values())}


def table_row(figures: Figures) -> str:
    """The figures as a row of the Markdown table."""
    target = TARGETS[figures["target"]]
    cells = [target.chip, Path(figures["config"]).name, str(figures.get("batch_per_device", "?"))]
    if "error" in figures:
        cells += ["failed", figures["error"], "", "", ""]
    else:
        operations = figures["operations"]
        total, temporaries = (figures["memory"][part] / GIB for part in ("total", "temporaries"))
        excess = ", does not fit" if total > target.memory else ""
        cells += [
            f"{figures['compile_seconds']:.0f} s",
            f"{figures['processor_seconds']:.0f} s",
            f"{total:.2f} of {target.memory} GiB{excess}",
            f"{temporaries:.2f} GiB",
            f"{operations:.2e}" if operations else "not given",
        ]
    return markdown.row(*cells)


if __name__ == "__main__":
    app.run(main)
