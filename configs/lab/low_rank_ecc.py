"""The quickstart with lightweight ECC, whose widths are multiples of 33 (66 in its graph layer).

`--config=configs/lab/low_rank_ecc.py`; docs/low-rank-ecc.md describes the operator.
"""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.generator.graph_layer.operator.name = "low_rank_ecc"
    config.generator.width = 264
    return config
