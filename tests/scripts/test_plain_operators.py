"""The benchmark's plain PyTorch operators compute what PyTorch Geometric's compute."""

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("torch_geometric", reason="PyTorch Geometric is not installed")

import torch

from scripts.benchmark import plain_operators, pyg_operators
from scripts.benchmark.pytorch_networks import to_edges

ECC = {"hidden": None, "delta": 10.0, "slope": 0.2}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *(("edge_conv", {"reduction": reduction}) for reduction in ("sum", "mean", "max")),
        *(("ecc", ECC | {"attention": attention}) for attention in (True, False)),
    ],
)
def test_same_values_and_gradients(name: str, settings: dict) -> None:
    torch.manual_seed(0)
    h = torch.randn(2 * 6, 4, dtype=torch.float64, requires_grad=True)
    edges = to_edges(torch.randint(6, (2, 6, 3)))
    expected, actual = (
        module.OPERATORS[name](4, 5, settings).double()
        for module in (pyg_operators, plain_operators)
    )
    actual.load_state_dict(expected.state_dict())
    weights = torch.randn(2 * 6, 5, dtype=torch.float64)
    for network in (expected, actual):
        out = network(h, edges)
        inputs = (h, *network.parameters())
        results = [out, *torch.autograd.grad((weights * out).sum(), inputs)]
        if network is expected:
            reference = results
    for value, like in zip(results, reference, strict=True):
        torch.testing.assert_close(value, like, rtol=1e-12, atol=1e-12)
