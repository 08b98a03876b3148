"""Thesis Table 4.1, rows 5 to 7: ECC. `--config=configs/ecc.py:K`, K = 8, 16 or 32.

The thesis had no memory for batch 32 at k = 16 and 32 and changed batch and learning rate.
`:16` and `:32` do as it did; `:16,constant` and `:32,constant` keep batch 32 and 1e-4. Any other K
that fits a 16x16 map runs at batch 32 and 1e-4; without one, K is 8.
"""

from configs import default

THESIS = {"16": (16, 7e-5), "32": (8, 5e-5)}  # k: (batch, learning rate)


def get_config(argument="8"):
    k, _, variant = argument.partition(",")
    if variant not in ("", "constant"):
        raise ValueError(f"{variant!r} after the k of configs/ecc.py: only 'constant' is known")
    config = default.get_config()
    config.generator.graph_layer.operator.name = "ecc"
    config.generator.graph_layer.graph.knn.k = int(k)
    if k in THESIS and not variant:
        config.batch_size, config.learning_rate = THESIS[k]
    return config
