"""Image generators with graph convolutional layers, trained as Wasserstein GANs in JAX."""

__version__ = "0.2.0"
