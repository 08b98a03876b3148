"""AOT compilation of the training step for absent accelerators: time, memory, FLOPs, structure.

The extra `ahead` installs the compilers (1.3 GB, and into a separate environment, as JAX looks for
the accelerators of every plugin installed):

    python3 -m venv .ahead && .ahead/bin/pip install -e '.[ahead]'
    .ahead/bin/python -m scripts.benchmark.aot --target=v5e --config=configs/ecc.py:32
    .ahead/bin/python -m scripts.benchmark.aot --target=v5e --target=h100 --all --json=ahead.json
    .ahead/bin/python -m scripts.benchmark.aot --all --selection=kernel --json=kernel.json

`--all` compiles the rows of the thesis's Table 4.1, and ECC at k = 32 with batch 32, each in a
separate process. The training step is compiled as training runs it, for one chip with the whole
batch.

Memory is that of the compiled program: arguments (state and training images), outputs that do not
alias an argument, temporaries and code. Workspaces of libraries come on top. GPU kernels are not
autotuned, which needs a GPU. FLOPs are the TPU compiler's count, which takes the body of a loop
once: one of the n_critic critic updates. `structure.py` says what is counted in the programs.
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from absl import app, flags
from ml_collections import config_flags

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from scripts import ROOT
from scripts.benchmark import structure
from scripts.benchmark.targets import CONFIGS, TARGETS, memory

COLUMNS = (
    "chip",
    "config",
    "batch",
    "compiled in",
    "CPU time",
    "memory",
    "temporaries",
    "FLOPs, loop bodies once",
)
CIFAR10_IMAGES = 50_000
GIB = 2**30


CONFIG = config_flags.DEFINE_config_file("config", None, "Config file, e.g. configs/ecc.py:32.")
ALL = flags.DEFINE_bool("all", False, "Compile every row of Table 4.1 instead of --config.")
TARGET = flags.DEFINE_multi_enum("target", ["v5e", "h100"], list(TARGETS), "Chip; may be repeated.")
SELECTION = flags.DEFINE_string("selection", None, "How kNN selects; default: as the config says.")
JSON = flags.DEFINE_string("json", None, "Output file for all results.")

Result = dict[str, Any]


def main(_: list[str]) -> None:
    if ALL.value == (CONFIG.value is not None):
        sys.exit("aot: pass either --config=FILE or --all")
    for name in TARGET.value:
        if importlib.util.find_spec(TARGETS[name].compiler) is None:
            sys.exit(
                f"aot: no compiler for {TARGETS[name].chip} is installed: "
                "run pip install -e '.[ahead]' in a separate environment"
            )
    print(markdown.header(*COLUMNS), flush=True)
    results: list[Result] = []
    for target in TARGET.value:
        for config in CONFIGS if ALL.value else [None]:
            results.append(in_subprocess(target, config) if config else compile_step(target))
            print(table_row(results[-1]), flush=True)
            if JSON.value:
                write_text(Path(JSON.value), json.dumps(results, indent=1) + "\n")
    print("\n" + structure.table(results))


def in_subprocess(target: str, config: str) -> Result:
    """Run `compile_step` in a separate process, which may crash."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "result.json")
        arguments = [f"--target={target}", f"--config={config}", f"--json={output}"]
        arguments += [f"--selection={SELECTION.value}"] if SELECTION.value else []
        command = [sys.executable, "-m", "scripts.benchmark.aot", *arguments]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        if output.exists():
            return json.loads(output.read_text())[0]
    return {"target": target, "config": config, "error": f"ended with code {done.returncode}"}


def compile_step(name: str) -> Result:
    """Compile the training step of --config for one chip of a target."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # use no accelerator of this machine
    os.environ["TPU_SKIP_MDS_QUERY"] = "1"  # this machine is not a TPU host
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # hide warnings about absent hardware
    import jax
    from jax.experimental.topologies import get_topology_desc

    from gcgan_jax.config.schema import from_mapping
    from gcgan_jax.experiment import make_experiment

    config = CONFIG.value
    if SELECTION.value:
        for network in (config.generator, config.critic):
            network.graph_layer.graph.knn.selection = SELECTION.value
    experiment, target = make_experiment(from_mapping(config.to_dict())), TARGETS[name]
    device = get_topology_desc(**target.topology).devices[0]
    result = {
        "target": name,
        "config": config_flags.get_config_filename(flags.FLAGS["config"]),
        "selection": SELECTION.value,
        "jax": jax.__version__,
        "device": device.device_kind,
        "devices": 1,
        "batch_per_device": experiment.config.batch_size,
    }
    lowered = experiment.train_step([device]).lower(*step_arguments(experiment))
    result["lowered"] = structure.lowered_counts(lowered.as_text())
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        compiled = lowered.compile()
    except jax.errors.JaxRuntimeError as error:
        return result | {"error": str(error).splitlines()[0]}
    return result | {
        "compile_seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu_start,
        "memory": memory(compiled.memory_analysis()),
        "compiled": structure.compiled_counts(compiled.as_text()),
        "flops": (compiled.cost_analysis() or {}).get("flops"),
    }


def step_arguments(experiment: Any) -> tuple[Any, ...]:
    """Return the shapes of the state, the training images and the device indices of one device."""
    import jax

    images = experiment.config.data.section.get("num_train", CIFAR10_IMAGES)
    return (
        experiment.state_shapes(),
        jax.ShapeDtypeStruct((images, math.prod(experiment.gan.image_shape)), "uint8"),
        jax.ShapeDtypeStruct((1,), "int32"),
    )


def table_row(result: Result) -> str:
    target = TARGETS[result["target"]]
    cells = [target.chip, Path(result["config"]).name, str(result.get("batch_per_device", "?"))]
    if "error" in result:
        cells += ["failed", result["error"], "", "", ""]
    else:
        flops = result["flops"]
        total, temporaries = (result["memory"][part] / GIB for part in ("total", "temporaries"))
        excess = ", does not fit" if total > target.memory else ""
        cells += [
            f"{result['compile_seconds']:.0f} s",
            f"{result['cpu_seconds']:.0f} s",
            f"{total:.2f} of {target.memory} GiB{excess}",
            f"{temporaries:.2f} GiB",
            f"{flops:.2e}" if flops else "not reported",
        ]
    return markdown.row(*cells)


if __name__ == "__main__":
    app.run(main)
