"""Summary of a profiler trace of one training iteration: where the device's time went.

An event of the trace names an instruction of the compiled program. The program's text says what
instructions compute: `op_name` holds the names of modules and scopes (`jax.named_scope`), and a
fusion calls the computation of all that it fuses.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
from jax.profiler import ProfileData, ProfileOptions

from scripts.benchmark import hlo

# Kinds of instructions by words of their op_name, and of those that they fuse; the first counts.
KINDS = {
    "kNN": {"knn"},
    "optimiser": {"optimizer"},
    "convolutions": {"conv_general_dilated"},
    "gathers and scatters": {"gather", "scatter"},
    "matrix products": {"dot_general"},
}
FUSED = ("gathers and scatters",)  # kinds that are looked for in fused instructions as well
COMPONENTS = ("knn", "edge_conv", "ecc", "optimizer", "Critic", "Generator")
CONTROL = ("while", "call", "conditional")  # their time is that of the instructions they run
LARGEST = 12  # instructions to list

OP_NAME = r'op_name="([^"]*)"'
FUSED_COMPUTATION = r"calls=%?([\w.-]+)"


@dataclass(frozen=True)
class Event:
    """A kernel, or an instruction's execution.

    Attributes:
        name: its own name.
        instruction: name of the instruction; None where the trace does not say.
    """

    name: str
    instruction: str | None
    start: float  # nanoseconds, as the end
    end: float


@dataclass(frozen=True)
class Instruction:
    """An instruction of a program.

    Attributes:
        opcode: for example "fusion".
        op_name: names of modules and scopes, and the JAX primitive.
        fused: the op_name of every instruction that it fuses.
    """

    opcode: str
    op_name: str
    fused: tuple[str, ...] = ()


def options() -> ProfileOptions:
    """Return options that leave Python's own calls out of a trace."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    return options


def read(folder: Path) -> list[Event]:
    """Read the events of the first device from the trace in a folder.

    Raises:
        ValueError: there is no event, as on a device that the profiler does not support.
    """
    (path,) = folder.rglob("*.xplane.pb")
    data = ProfileData.from_file(str(path))  # its parts are valid only while it exists
    planes = [*data.planes]
    device = [p for p in planes if re.match(r"/device:(GPU|TPU):\d", p.name)][:1]
    lines = [line for p in device or planes if device or p.name == "/host:CPU" for line in p.lines]
    # A GPU has a line per stream and a TPU one of instructions; others repeat the same time.
    wanted = [line for line in lines if line.name.startswith("Stream")]
    wanted = wanted or [line for line in lines if line.name == "XLA Ops"] or lines
    events = [event for line in wanted for event in map(_event, line.events)]
    events = [event for event in events if device or event.instruction]
    if not events:
        raise ValueError("the trace has no events of a device")
    return events


def _event(event: Any) -> Event:
    instruction = dict(event.stats).get("hlo_op")
    if instruction is None and " = " in event.name:  # a TPU names events by the instruction's text
        instruction = event.name.partition(" = ")[0].lstrip("%")
    return Event(event.name, instruction, event.start_ns, event.start_ns + event.duration_ns)


def instructions(program: str) -> dict[str, Instruction]:
    """Parse the text of a compiled program, as `Compiled.as_text` returns it."""
    computations = hlo.computations(program)
    return {
        instruction.name: Instruction(
            instruction.opcode,
            instruction.attribute(OP_NAME),
            tuple(
                fused.attribute(OP_NAME)
                for fused in computations.get(instruction.attribute(FUSED_COMPUTATION), ())
            ),
        )
        for body in computations.values()
        for instruction in body
    }


def kind(instruction: Instruction | None) -> str:
    """Return which of KINDS an instruction is, or "other"."""
    if instruction is None:
        return "other"
    own = words(instruction.op_name)
    fused = own.union(*map(words, instruction.fused))
    for name, wanted in KINDS.items():
        if wanted & (fused if name in FUSED else own):
            return name
    return "other"


def component(instruction: Instruction | None) -> str:
    """Return the innermost of COMPONENTS that an instruction belongs to, or "other"."""
    own = words(instruction.op_name) if instruction else set()
    return next((name for name in COMPONENTS if name in own), "other")


def words(op_name: str) -> set[str]:
    return set(re.findall(r"\w+", op_name))


def summarise(events: Iterable[Event], program: str) -> dict[str, Any]:
    """Return the time from the first event to the last, and how it was used.

    Returns:
        "seconds"; "kinds" and "components", seconds by name; "gaps", the seconds in which nothing
        ran, which also count as a kind; and the "largest" instructions. Kernels on several streams
        at once count each.
    """
    known = instructions(program)
    events = [
        event
        for event in events
        if event.instruction not in known or known[event.instruction].opcode not in CONTROL
    ]
    kinds: Counter[str] = Counter()
    components: Counter[str] = Counter()
    single: Counter[str] = Counter()
    for event in events:
        instruction, seconds = known.get(event.instruction or ""), (event.end - event.start) / 1e9
        kinds[kind(instruction)] += seconds
        components[component(instruction)] += seconds
        single[event.instruction or event.name] += seconds
    span = (max(event.end for event in events) - min(event.start for event in events)) / 1e9
    kinds["gaps"] = components["gaps"] = span - busy(events)
    return {
        "seconds": span,
        "kinds": dict(kinds),
        "components": dict(components),
        "largest": _largest(single, known),
    }


def busy(events: Iterable[Event]) -> float:
    """Return the seconds in which at least one event ran."""
    total, until = 0.0, float("-inf")
    for event in sorted(events, key=lambda event: event.start):
        total += max(0.0, event.end - max(event.start, until))
        until = max(until, event.end)
    return total / 1e9


def _largest(single: Counter[str], known: Mapping[str, Instruction]) -> list[dict[str, Any]]:
    return [
        {
            "instruction": name,
            "op_name": known[name].op_name if name in known else "",
            "seconds": seconds,
        }
        for name, seconds in single.most_common(LARGEST)
    ]
