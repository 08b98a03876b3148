"""Thesis Table 4.1, rows 5 to 7: ECC. `--config=configs/ecc.py:K`, K = 8 (default), 16 or 32.

For lack of memory, the thesis changed batch size and learning rate at k = 16 and 32. `:16` and
`:32` do the same; `:16,constant` and `:32,constant` keep batch size 32 and learning rate 1e-4.
Any other K that fits a 16x16 feature map works too, with batch size 32 and 1e-4.
"""

from configs import default
from gcgan_jax.ranges import whole_number

THESIS = {"16": (16, 7e-5), "32": (8, 5e-5)}  # k: (batch size, learning rate)


def get_config(argument="8"):
    k, comma, variant = argument.partition(",")
    if comma and variant != "constant":
        raise ValueError(f"unknown variant {variant!r} of configs/ecc.py: use K or K,constant")
    config = default.get_config()
    config.generator.graph_layer.operator.name = "ecc"
    config.generator.graph_layer.graph.knn.k = whole_number(k)
    if k in THESIS and not variant:
        config.batch_size, config.learning_rate = THESIS[k]
    return config
