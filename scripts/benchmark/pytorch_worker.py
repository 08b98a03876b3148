"""The PyTorch worker: `python -m scripts.benchmark.pytorch_worker VARIANT CASE`."""

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from gcgan_jax.config.schema import Config
from gcgan_jax.data.twins import ProceduralTwins
from scripts.benchmark import interleaved as turns
from scripts.benchmark import pytorch_reference as peer
from scripts.benchmark.cases import COORDINATES, FEATURES, SIDE, Case, config_of, parse

Run = Callable[[], object]


def make_run(variant: str, case: Case) -> Run:
    """What one repetition of the case runs, compiled already."""
    torch.set_flush_denormal(True)  # as XLA does
    config = config_of(case)
    if case.what == "iteration":
        return make_iteration(config, variant)
    if case.what == "sampling":
        generator, _ = peer.make_players(config, variant)
        sampler = peer.make_sampler(generator, config.generator.latent_size)
        sampler(case.batch)
        return lambda: sampler(case.batch)
    return make_operator(case, config, variant)


def make_iteration(config: Config, variant: str) -> Run:
    generator, critic = peer.make_players(config, variant)
    if variant == "compiled":
        z = torch.randn(config.batch_size, config.generator.latent_size)
        with torch.no_grad():
            generator(z)
        generator(z).sum().backward()
    data = config.data  # by hand, as an experiment would bring JAX into this process
    twins = ProceduralTwins(config.seed, data.image_size, **data.section)
    images = torch.from_numpy(twins.load().train).permute(0, 3, 1, 2).contiguous()
    return peer.make_iteration(config, generator, critic, images)


def make_operator(case: Case, config: Config, variant: str) -> Run:
    """kNN, EdgeConv or ECC on the 32x32 map: forward, or the gradient by features and weights."""
    C = FEATURES + COORDINATES
    nodes = torch.randn(case.batch, SIDE * SIDE, FEATURES).relu()
    window = peer.in_window(SIDE)
    if case.of == "knn":
        knn = torch.compile(peer.knn) if variant == "compiled" else peer.knn
        return _warm(torch.no_grad()(lambda: knn(nodes, case.k, window)))
    edges = peer.to_edges(peer.knn(nodes, case.k, window))
    h = torch.randn(case.batch * SIDE * SIDE, C).relu()
    operator = peer.non_local(C, FEATURES, config)
    if variant == "compiled":
        operator.compile()
    if case.what == "forward":
        return _warm(torch.no_grad()(lambda: operator(h, edges)))
    return _warm(partial(_differentiate, operator, h.requires_grad_(), edges))


def _differentiate(operator: nn.Module, h: Tensor, edges: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(operator(h, edges).sum(), (h, *operator.parameters()))


def _warm(run: Run) -> Run:
    run()
    return run


if __name__ == "__main__":
    turns.serve(partial(make_run, sys.argv[1], parse(sys.argv[2])))
