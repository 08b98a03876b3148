"""Networks without an operator, with as many parameters as one with it.

`--config=configs/matched.py:WHERE,OPERATOR`. WHERE is `local`, for a wider local branch in the
blocks that have the operator, or `baseline`, for a wider generator. The numbers are those of
`python -m scripts.matched` for the thesis's generator; docs/laboratory.md explains them.
"""

from configs import default

EXPANSION = {
    "edge_conv": 1.104,
    "ecc": 13.39,
    "low_rank_ecc": 1.747,
    "aggregate": 1.002,
    "max_relative": 1.104,
    "gcn": 1.002,
    "chebyshev": 1.307,
    "self_attention": 0.949,
    "global": 1.002,
}
WIDTH = {
    "edge_conv": 532,
    "ecc": 733,
    "low_rank_ecc": 544,
    "aggregate": 531,
    "max_relative": 532,
    "gcn": 531,
    "chebyshev": 536,
    "self_attention": 529,
    "global": 531,
}


def get_config(argument="local,edge_conv"):
    where, _, operator = argument.partition(",")
    if where not in ("local", "baseline") or operator not in WIDTH:
        raise ValueError(
            f"unknown argument {argument!r}: use local,OPERATOR or baseline,OPERATOR with an "
            f"OPERATOR of {', '.join(WIDTH)}"
        )
    config = default.get_config()
    if where == "local":
        config.generator.graph_layer.local_expansion = EXPANSION[operator]
    else:
        config.generator.width = WIDTH[operator]
    return config
