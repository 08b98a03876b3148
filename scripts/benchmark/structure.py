"""Counts of operations in a program, lowered (StableHLO) or compiled (HLO), read off its text.

They show what would be slow on an accelerator: sorts, scatters, loops, and the number of kernels.
The table of results that `aot.py` wrote to files:

    python -m scripts.benchmark.structure docs/results/structure.json
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gcgan_jax.report import markdown
from scripts.benchmark import hlo

LOWERED = {
    "sorts": r'"?stablehlo\.sort"?\(',
    "top_k": r"chlo\.top_k|mhlo\.topk",
    "scatters": r'"stablehlo\.scatter"\(',
    "loops": r"stablehlo\.while\(",
    "gathers": r'"stablehlo\.gather"\(',
}
TRIPS = r'"known_trip_count":\{"n":"(\d+)"\}'
CALLED = r"(?:body|to_apply|branch_computations)=\{?%?([\w.-]+)"
NO_KERNEL = (  # instructions that launch nothing themselves
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all"),
    *("opt-barrier", "partition-id", "replica-id", "while", "call", "conditional"),
    *("copy-done", "async-done", "all-reduce-done", "domain", "add-dependency"),
)

COLUMNS = ("sorts", "selections", "scatters", "loops", "gathers", "fusions", "launches")

Counts = dict[str, int]


def lowered_counts(text: str) -> Counts:
    """Count operations in StableHLO."""
    return {name: len(re.findall(pattern, text)) for name, pattern in LOWERED.items()}


def compiled_counts(text: str) -> Counts:
    """Count operations in compiled HLO, inside fusions too, and estimate the kernels launched."""
    computations = hlo.computations(text)
    opcodes = [instruction.opcode for body in computations.values() for instruction in body]
    counted = {"sorts": "sort", "scatters": "scatter", "loops": "while", "gathers": "gather"}
    counts = {name: opcodes.count(opcode) for name, opcode in counted.items()}
    selections = len(re.findall(r'custom_call_target="__gpu\$TopK"', text))
    return counts | {
        "selections": selections,
        "fusions": opcodes.count("fusion"),
        "launches": _launches(computations, hlo.ENTRY),
    }


def table(results: Iterable[Mapping[str, Any]]) -> str:
    """Return the counts of compiled programs, and their memory, as a table."""
    lines = [markdown.header("chip", "config", "selection", *COLUMNS, "memory")]
    for result in results:
        if "compiled" in result:
            chip, name = result["target"], result["config"].rpartition("/")[2]
            counts = [result["compiled"][column] for column in COLUMNS]
            memory = f"{result['memory']['total'] / 2**30:.2f} GiB"
            selection = result["selection"] or "auto"
            lines.append(markdown.row(chip, name, selection, *counts, memory))
    return "\n".join(lines)


def _launches(computations: Mapping[str, list[hlo.Instruction]], name: str) -> int:
    """Return the kernels that a computation launches: each loop's as often as the loop runs.

    A loop whose number of iterations the compiler does not know counts once.
    """
    launches = 0
    for instruction in computations[name]:
        if instruction.opcode not in NO_KERNEL:
            launches += 1
            continue
        called = re.findall(CALLED, instruction.rest)
        times = int(instruction.attribute(TRIPS) or 1)
        launches += times * sum(_launches(computations, callee) for callee in called)
    return launches


if __name__ == "__main__":
    for file in sys.argv[1:]:
        print(table(json.loads(Path(file).read_text())))
