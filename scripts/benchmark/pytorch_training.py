"""The PyTorch reference's losses, training iteration and sampler.

Two differences from gcgan_jax take no time: the learning rate is constant, and the fakes drawn for
the critic update the generator's running averages.

B images with F features (channels), height H and width W.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gcgan_jax.config.schema import Config

Metrics = dict[str, Tensor]


def critic_loss(
    critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor, penalty_weight: float
) -> tuple[Tensor, Metrics]:
    """Return the WGAN-GP critic loss and its terms.

    Args:
        real, fake: images [B, F, H, W].
        mix: weights of the real images in the interpolates, [B].
    """
    on_real, on_fake = critic(torch.cat([real, fake])).chunk(2)
    wasserstein = on_real.mean() - on_fake.mean()
    mix = mix[:, None, None, None]
    x = (mix * real + (1 - mix) * fake).requires_grad_()
    (gradients,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    penalty = (gradients.flatten(1).norm(dim=1) - 1).square().mean()
    loss = -wasserstein + penalty_weight * penalty
    return loss, {"critic_loss": loss, "wasserstein": wasserstein, "gradient_penalty": penalty}


def generator_loss(critic: nn.Module, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


def make_iteration(
    config: Config, generator: nn.Module, critic: nn.Module, images: Tensor
) -> Callable[[], float]:
    """Return iteration(): n_critic critic updates, then a generator update, whose loss it returns.

    Args:
        images: the training images, uint8 [n, F, H, W], on the device to train on.
    """
    device = images.device
    B, penalty_weight = config.batch_size, config.loss.section["penalty_weight"]
    minimise_critic = make_update(config, critic)
    minimise_generator = make_update(config, generator)

    def sample_fakes() -> Tensor:
        with autocast(config, device):
            return generator(torch.randn(B, config.generator.latent_size, device=device))

    def update_critic() -> None:
        real = images[torch.randint(len(images), (B,), device=device)] / 127.5 - 1
        with torch.no_grad():
            fake = sample_fakes()
        mix = torch.rand(B, device=device)
        with autocast(config, device):
            loss, _ = critic_loss(critic, real, fake, mix, penalty_weight)
        minimise_critic(loss)

    def iteration() -> float:
        for _ in range(config.n_critic):
            update_critic()
        critic.requires_grad_(False)
        with autocast(config, device):
            loss = generator_loss(critic, sample_fakes())
        minimise_generator(loss)
        critic.requires_grad_(True)
        return loss.item()

    return iteration


def make_update(config: Config, network: nn.Module) -> Callable[[Tensor], None]:
    """Return update(loss), which takes one RMSprop step."""
    settings = config.optimizer
    optimizer = torch.optim.RMSprop(
        network.parameters(), config.learning_rate, alpha=settings.b2, eps=settings.eps
    )

    def update(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return update


def autocast(config: Config, device: torch.device) -> torch.autocast:
    """Let matmuls and convolutions use bfloat16 where the config does."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.compute_dtype == "bfloat16")


def make_sampler(
    config: Config, generator: nn.Module, device: torch.device
) -> Callable[[int], Tensor]:
    """Return sampler(n) -> uint8 [n, F, H, W], which normalises by the running averages.

    It generates batches of config.eval.batch_size on the device, and returns them on the CPU.
    """
    generator.eval()

    @torch.inference_mode()
    def sample(n: int) -> Tensor:
        with autocast(config, device):
            images = generator(torch.randn(n, config.generator.latent_size, device=device))
        return ((images + 1) * 127.5).round().to(torch.uint8).cpu()

    def sampler(n: int) -> Tensor:
        size = config.eval.batch_size
        return torch.cat([sample(min(size, n - start)) for start in range(0, n, size)])

    return sampler
