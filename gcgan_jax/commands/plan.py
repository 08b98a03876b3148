"""Says what training a config takes on this device, before it is trained; `--mode=plan`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import jax

from gcgan_jax.commands.rehearsal import Memory, Part, Rehearsal
from gcgan_jax.config.schema import Config
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.networks import graph_blocks, uses_graph
from gcgan_jax.report import markdown
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.memory import available_on
from gcgan_jax.storage.atomic import write_text

FILE = "plan.json"
MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Plan:
    """What training takes.

    Attributes:
        devices: number of devices.
        flops: FLOPs of an iteration, on all devices.
        memory: bytes of each device, by use.
        peak: most bytes that each device holds; on a CPU, the process.
        seconds: time of an iteration.
        hours: time of all iterations.
    """

    device: str
    devices: int
    parts: Mapping[str, Part]
    flops: int
    memory: Memory
    peak: int
    seconds: float
    hours: float


def plan(
    experiment: Experiment,
    workdir: Path,
    devices: Sequence[jax.Device] | None = None,
    out: Path | None = None,
    available: int | None = None,
) -> None:
    """Print parameters, FLOPs, memory and time of training; see `Rehearsal` for how.

    Args:
        workdir: not used.
        devices: devices to train on; None: all devices of this process.
        out: directory for the numbers as JSON; None: nothing is written.
        available: bytes that each device has left; None: as it says itself.

    Raises:
        UserError: training does not fit into memory, which is often clear before anything is
            compiled; the batch does not fit the devices; or the data set cannot be loaded, if it
            has to be.
    """
    config, devices = experiment.config, devices or jax.local_devices()
    rehearsal = Rehearsal(experiment, devices)

    def require_memory(memory: Memory) -> None:
        require_fit(config, memory, available or available_on(devices))

    parts, memory = rehearsal.trace()
    require_memory(memory)
    report(parts_table(parts))
    report("compiling the training step")
    step, memory = rehearsal.compile(memory)
    require_memory(memory)
    measured = rehearsal.run(step)
    prediction = Plan(
        device=devices[0].device_kind,
        devices=len(devices),
        parts=parts,
        flops=sum(part.flops for part in parts.values()),
        memory=memory,
        peak=max(memory.total, measured.peak or 0),
        seconds=measured.seconds,
        hours=measured.seconds * config.num_iterations / 3600,
    )
    report(memory_table(prediction))
    report(conclusion(prediction, config.num_iterations))
    if out:
        out.mkdir(parents=True, exist_ok=True)
        write_text(out / FILE, json.dumps(asdict(prediction), indent=1) + "\n")
        report(f"all numbers: {out / FILE}")


def parts_table(parts: Mapping[str, Part]) -> str:
    """Format parameters and FLOPs, part by part and in all."""
    total = Part(*map(sum, zip(*map(astuple, parts.values()), strict=True)))
    lines = [markdown.header("part", "parameters", "GFLOP an iteration", "of all FLOPs")]
    for name, part in [*parts.items(), ("all", total)]:
        share = part.flops / max(total.flops, 1)
        lines.append(
            markdown.row(name, f"{part.parameters:,}", f"{part.flops / 1e9:.3g}", f"{share:.1%}")
        )
    return "\n".join(lines)


def memory_table(prediction: Plan) -> str:
    """Format the bytes of each use on each device, and in all."""
    lines = [markdown.header("memory of each device", "MiB")]
    for name, size in asdict(prediction.memory).items():
        lines.append(markdown.row(name.replace("_", " "), mebibytes(size)))
    lines.append(markdown.row("all; the last two take turns", mebibytes(prediction.memory.total)))
    lines.append(markdown.row("peak, with libraries and compiler", mebibytes(prediction.peak)))
    return "\n".join(lines)


def require_fit(config: Config, memory: Memory, available: int | None) -> None:
    """Raise UserError unless the memory is available, as far as that is known."""
    if available is None or memory.total <= available:
        return
    layer = config.generator.graph_layer
    fields = ["config.batch_size", "config.generator.width", "config.critic.widths"]
    if graph_blocks(config) and uses_graph(layer):
        fields.append(f"config.generator.graph_layer.graph.{layer.graph.name}.k")
    if memory.diagnostics > memory.training_step:
        fields.insert(0, "config.diagnostic_images")
    raise UserError(
        f"config.batch_size = {config.batch_size}: training needs about {memory.total / GIB:.2f} "
        f"GiB on each device, but {available / GIB:.2f} GiB are available: lower "
        f"{', '.join(fields[:-1])} or {fields[-1]}"
    )


def conclusion(prediction: Plan, iterations: int) -> str:
    """Say how long training takes, and how fast that computes."""
    rate = prediction.flops / prediction.seconds / 1e9
    return (
        f"{prediction.devices} x {prediction.device}: {prediction.seconds:.3g} s an iteration at "
        f"{rate:,.0f} GFLOP/s; {iterations:,} iterations take {prediction.hours:.3g} hours, "
        "without scores, samples and checkpoints"
    )


def mebibytes(size: int) -> str:
    return f"{size / MIB:,.1f}"
