"""Profiler traces of chosen iterations."""

import gzip
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from gcgan_jax.runtime.profiler import Profiler


@pytest.mark.parametrize(
    ("chosen", "start", "traced"),
    [((3, 3), 0, [2]), ((4, 7), 0, [2, 4, 6]), ((1, 5), 4, [4]), ((1, 2), 4, []), (None, 0, [])],
)
def test_one_trace_covers_the_calls_with_chosen_iterations(
    tmp_path: Path, chosen: tuple[int, ...] | None, start: int, traced: list[int]
) -> None:
    profiler = Profiler(chosen, tmp_path)
    for before in range(start, 8, 2):
        with profiler.call(before, before + 2), jax.profiler.TraceAnnotation(f"call-{before}"):
            jax.block_until_ready(jnp.ones(2) + before)
    traces = list(tmp_path.rglob("*.trace.json.gz"))
    assert len(traces) == (1 if traced else 0)
    text = "".join(gzip.decompress(path.read_bytes()).decode() for path in traces)
    assert [before for before in range(0, 8, 2) if f'"call-{before}"' in text] == traced
