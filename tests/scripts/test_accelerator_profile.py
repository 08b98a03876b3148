"""What a profile counts as, on a program and a trace made by hand."""

import pytest

from scripts.benchmark.accelerator.profile import Event, busy, instructions, kind, summarise

PROGRAM = """HloModule jit_step, is_scheduled=true

%fused (p: f32[4,8], q: s32[4]) -> f32[4,8] {
  %g.1 = f32[4,8]{1,0} gather(%p, %q), offset_dims={1}, metadata={op_name="jit(f)/edge_conv/gather"}
  ROOT %max.1 = f32[4,8]{1,0} maximum(%g.1, %p), metadata={op_name="jit(f)/edge_conv/max"}
}

ENTRY %main (p: f32[4,8], q: s32[4]) -> (f32[4,8], s32[4]) {
  %while.1 = (s32[], f32[4]{0}, /*index=2*/f32[4]{0:T(128)}) while(%t), metadata={op_name="jit(f)"}
  %fusion.1 = f32[4,8]{1,0} fusion(%p, %q), kind=kLoop, calls=%fused, metadata={op_name="jit(f)/edge_conv/max"}
  %sort.1 = (f32[4]{0}, s32[4]{0}) sort(%p, %q), metadata={op_name="jit(f)/block2_graph/graph/knn/top_k"}
  %cudnn.1 = (f32[4]{0}, u8[0]{0}) custom-call(%p), metadata={op_name="jit(f)/jvp(Critic)/conv1/conv_general_dilated"}
  %dot.1 = f32[4,4]{1,0} dot(%p, %q), metadata={op_name="jit(f)/transpose(jvp(ecc))/dot_general"}
  %mul.1 = f32[4]{0} multiply(%p, %p), metadata={op_name="jit(f)/optimizer/mul"}
  ROOT %copy.1 = f32[4]{0} copy(%p)
}
"""  # noqa: E501


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fusion.1", "gathers and scatters"),  # that it fuses
        ("sort.1", "kNN"),
        ("cudnn.1", "convolutions"),
        ("dot.1", "matrix products"),
        ("mul.1", "optimiser"),
        ("copy.1", "other"),
    ],
)
def test_kinds(name: str, expected: str) -> None:
    assert kind(instructions(PROGRAM)[name]) == expected


def test_summary() -> None:
    second = 1e9
    events = [
        Event("kernel", "sort.1", 0, 1 * second),
        Event("kernel", "fusion.1", 2 * second, 4 * second),
        Event("kernel", "dot.1", 3 * second, 4 * second),  # on another stream
        Event("while", "while.1", 0, 9 * second),  # is the time of what it runs
        Event("memcpy", None, 4 * second, 5 * second),
        Event("kernel", "fusion.1", 9 * second, 10 * second),
    ]
    summary = summarise(events, PROGRAM)
    assert summary["seconds"] == 10
    assert summary["kinds"] == {
        "kNN": 1,
        "gathers and scatters": 3,
        "matrix products": 1,
        "other": 1,
        "gaps": 5,
    }
    assert summary["components"] == {"knn": 1, "edge_conv": 3, "ecc": 1, "other": 1, "gaps": 5}
    largest = summary["largest"][0]
    assert (largest["instruction"], largest["seconds"]) == ("fusion.1", 3)
    assert {row["instruction"] for row in summary["largest"]} >= {"memcpy"}


def test_busy_time_is_a_union() -> None:
    events = [Event("", None, start * 1e9, end * 1e9) for start, end in ((5, 6), (0, 3), (1, 2))]
    assert busy(events) == 4
