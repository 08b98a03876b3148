"""FLOPs and memory of a program that was traced, but not compiled."""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal, Var, jaxprs_in_params


@dataclass
class Cost:
    """What a program costs on one device.

    Attributes:
        flops: multiplications and additions of matmuls and convolutions, by the names of the scopes
            that they are in. Loops count as often as they run, if that is known (`lax.scan`), and
            nothing counts on which no output depends.
        bytes: largest total size of the arrays that exist at once, besides the program's inputs, in
            the order of the program. Compilers need less where they fuse operations, and more for
            copies and workspaces.
    """

    flops: Counter[str] = field(default_factory=Counter)
    bytes: int = 0


def trace_cost(program: Jaxpr) -> Cost:
    """Return the cost of a program, as `jax.make_jaxpr(function)(...).jaxpr`."""
    cost = Cost()
    cost.bytes = _walk(program, "", 1, cost.flops)
    return cost


def _walk(program: Jaxpr, scope: str, times: int, flops: Counter[str]) -> int:
    """Add the FLOPs of a program that runs so many times; return its bytes.

    From the last operation to the first, `alive` holds what later ones need.
    """
    given = {*program.invars, *program.constvars}
    alive = {v for v in program.outvars if isinstance(v, Var)} - given
    total = peak = sum(map(_bytes, alive))
    for operation in reversed(program.eqns):
        if alive.isdisjoint(operation.outvars):
            continue
        inner_scope = f"{scope}/{operation.source_info.name_stack}"
        flops[inner_scope] += times * _flops(operation)
        repeated = times * operation.params["length"] if _is_scan(operation) else times
        within = [
            _walk(inner, inner_scope, repeated, flops)
            for inner in jaxprs_in_params(operation.params)
        ]
        inputs = {v for v in operation.invars if not isinstance(v, Literal)} - given - alive
        alive |= inputs
        total += sum(map(_bytes, inputs))
        peak = max(peak, total + max(within, default=0))
        outputs = alive.intersection(operation.outvars)
        alive -= outputs
        total -= sum(map(_bytes, outputs))
    return peak


def _is_scan(operation: JaxprEqn) -> bool:
    return operation.primitive.name == "scan"


def _flops(operation: JaxprEqn) -> int:
    """Return 2 x (multiplications) of a matmul or a convolution; 0 for other operations."""
    if operation.primitive.name not in ("dot_general", "conv_general_dilated"):
        return 0
    left, right = map(_shape, operation.invars)
    numbers = operation.params["dimension_numbers"]
    if operation.primitive.name == "dot_general":
        (contracted, _), _ = numbers
        inner = math.prod(left[axis] for axis in contracted)
    else:
        inner = math.prod(right) // right[numbers.rhs_spec[0]]
    return 2 * inner * math.prod(_shape(operation.outvars[0]))


def _bytes(variable: Var) -> int:
    """Return the size of an array; that of keys is that of their numbers."""
    return math.prod(_shape(variable)) * getattr(variable.aval, "dtype", np.dtype("V0")).itemsize


def _shape(variable: Var | Literal) -> tuple[int, ...]:
    """Return the shape of an array; () for anything else."""
    return getattr(variable.aval, "shape", ())
