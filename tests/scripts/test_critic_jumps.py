"""A kNN graph makes a critic jump where neighbours change; the slope of others explains them."""

import pytest

from scripts.critic_jumps import measure
from tests.conftest import make

GRAPH = "critic__graph_layer__graph"


@pytest.mark.parametrize(("graph", "jumps"), [("knn", True), ("ring", False)])
def test_the_integral_of_the_slope_is_the_difference_unless_the_critic_jumps(
    graph: str, jumps: bool
) -> None:
    experiment = make(
        critic__graph_layer__operator__name="edge_conv",
        **{f"{GRAPH}__name": graph, f"{GRAPH}__{graph}__k": 4},
    )
    measured = measure(experiment, experiment.init_state(), pairs=2, points=400)
    error = abs(measured["integral_of_slope"] / measured["difference"] - 1)
    assert (error > 0.1) == jumps, error
    assert jumps or error < 1e-2
