"""Counts of operations in a program."""

import json

import pytest

from scripts import ROOT
from scripts.benchmark.structure import compiled_counts, lowered_counts, table

HLO = """\
HloModule jit_step, is_scheduled=true

%fused_scatter (p: f32[8,3]) -> f32[8,3] {
  %p = f32[8,3]{1,0} parameter(0)
  ROOT %scatter.1 = f32[8,3]{1,0} scatter(%p, %i, %u), to_apply=%add
}

%body (t: (s32[], f32[8,3])) -> (s32[], f32[8,3]) {
  %t = (s32[], f32[8,3]{1,0:T(8,128)}) parameter(0)
  %x = f32[8,3]{1,0} get-tuple-element(%t), index=1
  %f = f32[8,3]{1,0} fusion(%x), kind=kInput, calls=%fused_scatter
  %c = (f32[8,3]{1,0}, /*index=1*/u8[0]{0}) custom-call(%f), custom_call_target="__cudnn$conv"
  ROOT %r = (s32[], f32[8,3]{1,0}) tuple(%i, %c)
}

ENTRY %main (a: f32[8,3]) -> f32[8,3] {
  %a = f32[8,3]{1,0} parameter(0)
  %s = f32[8,3]{1,0} sort(%a), dimensions={1}, to_apply=%less
  %k = (f32[8,2]{1,0}, s32[8,2]{1,0}) custom-call(%s), custom_call_target="__gpu$TopK"
  %w = (s32[], f32[8,3]{1,0}) while(%k), condition=%cond, body=%body, \
backend_config={"known_trip_count":{"n":"5"}}
  ROOT %o = f32[8,3]{1,0} copy(%w)
}
"""


def test_compiled_counts() -> None:
    """The loop launches two kernels five times, the entry three."""
    assert compiled_counts(HLO) == {
        "sorts": 1,
        "scatters": 1,
        "loops": 1,
        "gathers": 0,
        "selections": 1,
        "fusions": 1,
        "launches": 13,
    }


def test_lowered_counts() -> None:
    text = (
        '%1 = "stablehlo.sort"(%0)\n%2 = chlo.top_k(%1, k = 8)\n%3:2 = stablehlo.while(%a = %b)\n'
    )
    expected = {"sorts": 1, "top_k": 1, "scatters": 0, "loops": 1, "gathers": 0}
    assert lowered_counts(text) == expected


@pytest.mark.parametrize("name", ["structure-before.json", "structure.json"])
def test_the_documentation_shows_the_records(name: str) -> None:
    page = (ROOT / "docs/performance.md").read_text()
    assert table(json.loads((ROOT / "docs/results" / name).read_text())) in page
