"""Invalid choices of graphs, operators, merges, noise and graph layers of the critic."""

from tests.reliability.invalid_input_cases.case import (
    ECC,
    FILE,
    OPERATOR,
    QUICKSTART,
    SMALL,
    Case,
    default_with,
)

LAYER, CRITIC = "config.generator.graph_layer", "config.critic.graph_layer"
BLOCK_1 = "--config.generator.graph_blocks=(1,)"
ABLATE = f"{' '.join(SMALL)} --mode=ablate --workdir={{dir}}/run"

LABORATORY = (
    Case("no candidates on a small map", f"{ECC} {BLOCK_1} --{LAYER}.graph.name=far"),
    Case("window larger than the map", f"{ECC} {BLOCK_1} --{LAYER}.graph.knn.exclude=4"),
    Case("too many neighbours for a window", f"{ECC}:16 {BLOCK_1} --{LAYER}.graph.knn.exclude=3"),
    Case("dilation beyond the map", f"{ECC} --{LAYER}.graph.knn.dilation=50"),
    Case("ring larger than the map", f"{ECC} --{LAYER}.graph.name=ring --{LAYER}.graph.ring.k=250"),
    Case("unknown metric", f"{ECC} --{LAYER}.graph.knn.metric=manhattan"),
    Case("negative threshold", f"{ECC} --{LAYER}.graph.knn.threshold=-1.0"),
    Case("temperature 0", f"{ECC} --{LAYER}.graph.soft_knn.temperature=0.0"),
    Case("field of another graph", f"{ECC} --{LAYER}.graph.ring.metric=cosine"),
    Case("unknown rule for delta", f"{ECC} --{OPERATOR}.ecc.delta_rule=auto"),
    Case("inner width 0", f"{ECC} --{OPERATOR}.self_attention.inner=0"),
    Case("polynomial of order 0", f"{ECC} --{OPERATOR}.chebyshev.order=0"),
    Case("unknown merge", f"{ECC} --{LAYER}.merge.name=concatenate"),
    Case("negative scale", f"{ECC} --{LAYER}.merge.scale.initial=-0.1"),
    Case("unknown local branch", f"{ECC} --{LAYER}.local=conv5x5"),
    Case("unknown stem", f"{ECC} --config.generator.stem=zeros"),
    Case("constant stem without noise", f"{ECC} --config.generator.stem=constant"),
    Case("noise in a block that does not exist", f"{ECC} --config.generator.noise.blocks=(4,)"),
    Case("negative noise", f"{ECC} --config.generator.noise.strength=-1.0"),
    Case("too many neighbours on the critic's 4x4 map",
         f"{QUICKSTART} --{CRITIC}.operator.name=edge_conv --config.critic.graph_after=(3,)"),
    Case("batch statistics of delta in the critic",
         f"{QUICKSTART} --{CRITIC}.operator.name=ecc --{CRITIC}.operator.ecc.delta_rule=adaptive"),
    Case("batch statistics of a merge in the critic",
         f"{QUICKSTART} --{CRITIC}.operator.name=ecc --{CRITIC}.merge.average.normalise=True"),
    Case("unknown field of a part in a config file", FILE,
         default_with("config.generator.graph_layer.graph.soft_knn.heads = 4")),
    Case("ablation of a baseline", "--config=configs/baseline.py --mode=ablate"),
    Case("images that groups cannot share",
         f"{ABLATE} --config.show.ablation_images=25", resumes=True),
    Case("ablation under another graph",
         f"{ABLATE} --{LAYER}.graph.name=ring", resumes=True),
    Case("neighbours of self-attention",
         f"{QUICKSTART} --{OPERATOR}.name=self_attention --mode=neighbours"),
)  # fmt: skip
