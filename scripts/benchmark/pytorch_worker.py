"""The PyTorch worker: `python -m scripts.benchmark.pytorch_worker VARIANT CASE`."""

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from gcgan_jax.config.schema import Config
from gcgan_jax.data.twins import ProceduralTwins
from scripts.benchmark import pytorch_networks as networks
from scripts.benchmark import pytorch_training as training
from scripts.benchmark.cases import COORDINATES, FEATURES, SIDE, Case, config_of, parse
from scripts.benchmark.interleaved import serve

Run = Callable[[], object]


def make_run(variant: str, case: Case) -> Run:
    """Return a compiled function that runs one repetition of the case."""
    torch.set_flush_denormal(True)  # as XLA does
    config = config_of(case)
    if case.task == "iteration":
        return make_iteration(config, variant)
    if case.task == "sampling":
        generator, _ = networks.make_networks(config, variant)
        sampler = training.make_sampler(generator, config.generator.latent_size)
        sampler(case.batch)
        return lambda: sampler(case.batch)
    return make_operator(case, config, variant)


def make_iteration(config: Config, variant: str) -> Run:
    generator, critic = networks.make_networks(config, variant)
    if variant == "compiled":
        z = torch.randn(config.batch_size, config.generator.latent_size)
        with torch.no_grad():
            generator(z)
        generator(z).sum().backward()
    data = config.data  # not read through an experiment, which would import JAX
    twins = ProceduralTwins(config.seed, data.image_size, **data.section)
    images = torch.from_numpy(twins.load().train).permute(0, 3, 1, 2).contiguous()
    return training.make_iteration(config, generator, critic, images)


def make_operator(case: Case, config: Config, variant: str) -> Run:
    """Return kNN, EdgeConv or ECC on the 32x32 feature map: forward, or the operator's gradient."""
    C = FEATURES + COORDINATES
    nodes = torch.randn(case.batch, SIDE * SIDE, FEATURES).relu()
    window = networks.in_window(SIDE)
    if case.subject == "knn":
        knn = torch.compile(networks.knn) if variant == "compiled" else networks.knn
        return _warmed_up(torch.no_grad()(lambda: knn(nodes, case.k, window)))
    edges = networks.to_edges(networks.knn(nodes, case.k, window))
    h = torch.randn(case.batch * SIDE * SIDE, C).relu()
    operator = networks.non_local(C, FEATURES, config)
    if variant == "compiled":
        operator.compile()
    if case.task == "forward":
        return _warmed_up(torch.no_grad()(lambda: operator(h, edges)))
    return _warmed_up(partial(_gradient, operator, h.requires_grad_(), edges))


def _gradient(operator: nn.Module, h: Tensor, edges: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(operator(h, edges).sum(), (h, *operator.parameters()))


def _warmed_up(run: Run) -> Run:
    run()
    return run


if __name__ == "__main__":
    serve(partial(make_run, sys.argv[1], parse(sys.argv[2])))
