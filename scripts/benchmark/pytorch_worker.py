"""The PyTorch worker: `python -m scripts.benchmark.pytorch_worker VARIANT CASE`."""

import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from gcgan_jax.config.schema import Config
from gcgan_jax.data.twins import ProceduralTwins
from scripts.benchmark import pytorch_networks as networks
from scripts.benchmark import pytorch_training as training
from scripts.benchmark.cases import COORDINATES, Case, config_of, measured_block, parse
from scripts.benchmark.interleaved import serve

Run = Callable[[], object]


def make_run(variant: str, case: Case, platform: str = "cpu", toy: bool = False) -> Run:
    """Return a compiled function that starts one repetition of the case.

    Args:
        platform: "cpu" or "cuda", on which it may not wait for the result.
        toy: whether to use toy networks instead of the thesis's.
    """
    torch.set_flush_denormal(True)  # as XLA does
    if platform == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32, as XLA uses by default
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True  # XLA measures its choices, too
    config, device = config_of(case, toy), torch.device(platform)
    if case.task == "iteration":
        return make_iteration(config, variant, device)
    if case.task == "sampling":
        with device:
            generator, _ = networks.make_networks(config, variant)
        sampler = training.make_sampler(config, generator, device)
        return _warmed_up(lambda: sampler(case.batch))
    if case.subject == "knn":
        return _warmed_up(make_knn(case, config, variant, device))
    return _warmed_up(make_operator(case, config, variant, device))


def make_iteration(config: Config, variant: str, device: torch.device) -> Run:
    with device:
        generator, critic = networks.make_networks(config, variant)
        z = torch.randn(config.batch_size, config.generator.latent_size)
    if variant == "compiled":
        with training.autocast(config, device):
            with torch.no_grad():
                generator(z)
            fake = generator(z)
        fake.sum().backward()
    data = config.data  # not read through an experiment, which would import JAX
    twins = ProceduralTwins(config.seed, data.image_size, **data.section)
    images = torch.from_numpy(twins.load().train).permute(0, 3, 1, 2).contiguous().to(device)
    return training.make_iteration(config, generator, critic, images)


def make_knn(case: Case, config: Config, variant: str, device: torch.device) -> Run:
    """Return kNN on the last feature map."""
    nodes, window = random_nodes(config, device)
    nodes = nodes.to(getattr(torch, case.dtype))
    knn = torch.compile(networks.knn) if variant == "compiled" else networks.knn
    return torch.no_grad()(lambda: knn(nodes, case.k, window))


def make_operator(case: Case, config: Config, variant: str, device: torch.device) -> Run:
    """Return EdgeConv or ECC on the last feature map: forward, or the operator's gradient."""
    block = measured_block(config)
    nodes, window = random_nodes(config, device)
    edges = networks.to_edges(networks.knn(nodes, case.k, window))
    C = block.features + COORDINATES
    with device:
        h = torch.randn(case.batch * block.side**2, C).relu()
        operator = networks.non_local(C, block.features, config)
    if variant == "compiled":
        operator.compile()

    def forward() -> Tensor:
        with training.autocast(config, device):
            return operator(h, edges)

    if case.task == "forward":
        return torch.no_grad()(forward)
    inputs = (h.requires_grad_(), *operator.parameters())
    return lambda: torch.autograd.grad(forward().sum(), inputs)


def random_nodes(config: Config, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return nodes after a ReLU, [B, N, F] of the last feature map, and their 3x3 windows."""
    block = measured_block(config)
    with device:
        nodes = torch.randn(config.batch_size, block.side**2, block.features).relu()
        return nodes, networks.in_window(block.side)


def _warmed_up(run: Run) -> Run:
    run()
    return run


if __name__ == "__main__":
    serve(partial(make_run, sys.argv[1], parse(sys.argv[2])))
