"""All fields of a graph layer, with the thesis's values; docs/laboratory.md shows all choices.

The generator and the critic each have such a section, see `configs/default.py`.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder


def graph_layer() -> ConfigDict:
    """Graph, operator, and merge with the local branch."""
    layer = ConfigDict()
    layer.graph = graphs()
    layer.operator = operators()
    layer.local = "conv"  # local branch: a 3x3 "conv", "linear" (1x1), or the "identity"
    # Widens "conv" to 3x3 convolution, ReLU, 1x1 convolution, with so many hidden features per
    # feature out, also if there is no operator; None: the 3x3 convolution alone.
    layer.local_expansion = placeholder(float)
    layer.coordinates = True  # the operator sees each pixel's row and column; False: zeros instead
    layer.merge = merges()
    return layer


def graphs() -> ConfigDict:
    """Which pixels are connected."""
    graph = ConfigDict()
    graph.name = "knn"  # knn, soft_knn, or a control: self, grid, ring, random, shuffled or far
    graph.knn = ConfigDict()
    graph.knn.k = 8  # nearest neighbours per pixel
    # How they are found, always the same ones: "maxima", the fastest measured on CPUs; "top_k";
    # "kernel", for GPUs and TPUs; or "auto": "maxima" on CPUs and "top_k" elsewhere.
    graph.knn.selection = "auto"
    graph.knn.metric = "euclidean"  # or "cosine"
    graph.knn.exclude = 1  # Chebyshev radius of the window left out: 1 for 3x3, 0 for the pixel
    graph.knn.dilation = 1  # d: every d-th of the k * d nearest
    graph.knn.position = 0.0  # weight of the coordinates appended to the features
    graph.knn.threshold = placeholder(float)  # longer edges have weight 0; None: no threshold
    graph.shuffled = graph.knn.copy_and_resolve_references()  # as kNN, in another image
    graph.far = graph.knn.copy_and_resolve_references()
    graph.far.exclude = 4
    graph.soft_knn = ConfigDict()
    graph.soft_knn.k = 8
    graph.soft_knn.features = 16  # of the learned space in which distances are taken
    graph.soft_knn.temperature = 1.0  # initial temperature of the edge weights
    graph.soft_knn.metric = "euclidean"  # or "product", as in attention
    graph.soft_knn.frozen = False  # no gradient to the learned space
    graph.soft_knn.selection = "auto"
    for control in ("self", "grid", "ring", "random"):
        graph[control] = ConfigDict({"k": 8})
    return graph


def operators() -> ConfigDict:
    """What connected pixels exchange."""
    operator = ConfigDict()
    # "none" (no graph layer), edge_conv, ecc, low_rank_ecc, aggregate, max_relative, gcn or
    # chebyshev; or self_attention or global, which connect all pixels and ignore the graph.
    operator.name = "none"
    operator.edge_conv = ConfigDict()
    operator.edge_conv.reduction = "sum"  # over the neighbours: "sum", "mean" or "max"
    operator.ecc = ConfigDict()
    operator.ecc.hidden = placeholder(int)  # width of the filter network; None: input width
    operator.ecc.attention = True  # edge attention gamma; False: gamma = 1
    operator.ecc.delta = 10.0  # scale of gamma = exp(-||h_j - h_i||^2 / delta)
    operator.ecc.delta_rule = (
        "fixed"  # "learned" from delta on, or "adaptive": mean ||h_j - h_i||^2
    )
    operator.ecc.slope = 0.2  # negative slope of the filter network's leaky ReLU
    operator.low_rank_ecc = ConfigDict()  # lightweight ECC, see docs/low-rank-ecc.md
    operator.low_rank_ecc.rank = 11  # rank of the edge weights Theta, at most the input width
    # Replicas in the filter network's circulant layers; must divide input and output width. 1: off.
    operator.low_rank_ecc.circulant = 3
    operator.low_rank_ecc.normalise = True  # divide edge labels by their rms in each image
    operator.low_rank_ecc.attention = True  # these four as in ecc
    operator.low_rank_ecc.delta = 10.0
    operator.low_rank_ecc.delta_rule = "fixed"
    operator.low_rank_ecc.slope = 0.2
    operator.chebyshev = ConfigDict()
    operator.chebyshev.order = 3  # of the polynomial of the Laplacian: so many edges it reaches
    operator.self_attention = ConfigDict()
    operator.self_attention.inner = placeholder(int)  # inner width; None: max(8, features // 8)
    return operator


def merges() -> ConfigDict:
    """How the local and the non-local branch are combined."""
    merge = ConfigDict()
    merge.name = "average"  # average, sum, gate or scale
    for name in ("average", "sum", "gate", "scale"):
        merge[name] = ConfigDict({"normalise": False})  # batch-normalise both branches first
    merge.scale.initial = 1e-5  # initial value of the learned scale of each channel
    return merge
