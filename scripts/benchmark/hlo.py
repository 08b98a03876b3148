"""Parser of the text of compiled programs (XLA's HLO)."""

import re
from dataclasses import dataclass

ENTRY = "ENTRY"  # the name under which the computation that runs first is returned
INSTRUCTION = re.compile(r"\s+(?:ROOT )?%?([\w.-]+) = .*?[\s)}\]]([a-z][a-z0-9-]*)(\(.*)$")
COMPUTATION = re.compile(r"(ENTRY )?%?([\w.-]+) .*\{$")


@dataclass(frozen=True)
class Instruction:
    """An instruction of a computation.

    Attributes:
        opcode: for example "fusion".
        rest: its operands and attributes.
    """

    name: str
    opcode: str
    rest: str

    def attribute(self, pattern: str) -> str:
        """Return the first group of a pattern in `rest`; "" if it does not occur."""
        match = re.search(pattern, self.rest)
        return match[1] if match else ""


def computations(program: str) -> dict[str, list[Instruction]]:
    """Return the instructions of each computation, as `Compiled.as_text` lists them."""
    found: dict[str, list[Instruction]] = {}
    body: list[Instruction] = []
    for line in program.splitlines():
        if instruction := INSTRUCTION.match(line):
            body.append(Instruction(*instruction.groups()))
        elif start := COMPUTATION.match(line):
            body = found.setdefault(ENTRY if start[1] else start[2], [])
    return found
