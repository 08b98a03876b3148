"""Image generators with graph convolutional layers, trained as Wasserstein GANs in JAX.

The public names below are imported on first use, so that `import gcgan_jax` is quick.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_EXPORTS = {
    "config.schema": ("Config", "from_mapping"),
    "commands.trained": ("Trained", "load_example", "load_generator"),
    "data": ("DATASETS",),
    "data.twins": ("Twins", "make_images", "structure"),
    "errors": ("UserError",),
    "evaluation.metrics": (
        *("Gaussian", "frechet_distance", "gaussian", "inception_score", "kernel_distance"),
        "precision_recall",
    ),
    "experiment": ("Experiment", "make_experiment"),
    "gan.losses": ("LOSSES",),
    "gan.losses.r3gan": ("R3GAN",),
    "gan.losses.separable": ("WGAN", "Hinge", "Minimax", "NonSaturating"),
    "gan.losses.wgan_gp": ("WGANGP", "critic_loss", "generator_loss"),
    "gan.penalties": ("gradient_norms", "gradient_penalty", "squared_gradient_norms"),
    "graphs": ("GRAPHS",),
    "graphs.controls": ("Far", "Grid", "Random", "Ring", "SelfLoops", "Shuffled"),
    "graphs.knn": ("KNN", "knn"),
    "graphs.neighbours": ("Neighbours",),
    "graphs.soft_knn": ("SoftKNN", "soft_knn"),
    "layers.conv": ("Conv", "StridedConv"),
    "layers.graph_conv": ("GraphConv",),
    "layers.linear": ("Linear",),
    "layers.merge": ("MERGES", "Average", "Gate", "Scale", "Sum"),
    "layers.normalisation": ("Normalisation",),
    "layers.statistics": ("BatchStatistics",),
    "models": ("BACKBONES", "Backbone"),
    "models.gcgan": ("Critic", "Generator"),
    "operators": ("OPERATORS",),
    "operators.aggregate": ("Aggregate", "aggregate"),
    "operators.chebyshev": ("ChebyshevConv", "chebyshev_conv"),
    "operators.ecc": ("ECC", "FilterNetwork", "ecc"),
    "operators.edge_conv": ("EdgeConv", "edge_conv"),
    "operators.gcn": ("GCN", "gcn"),
    "operators.global_context": ("GlobalContext", "global_context"),
    "operators.low_rank_ecc": ("LowRankECC", "low_rank_ecc"),
    "operators.low_rank_network": ("LowRankNetwork",),
    "operators.max_relative": ("MaxRelative", "max_relative"),
    "operators.self_attention": ("Projections", "SelfAttention", "self_attention"),
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
