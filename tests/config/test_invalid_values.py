"""Invalid values of config fields are rejected with a one-line error that names the field."""

from typing import Any

import pytest

from gcgan_jax.errors import UserError
from tests.conftest import Tiny

OPERATOR = "generator__graph_layer__operator"
LAYER, CRITIC = "generator__graph_layer", "critic__graph_layer"
GRAPH = f"{LAYER}__graph"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "config.batch_size = 0: must be at least 1 and at most 65536"),
        ({"learning_rate": -1.0}, "config.learning_rate = -1.0"),
        ({"loss__wgan_gp__penalty_weight": -1.0}, "config.loss.wgan_gp.penalty_weight = -1.0"),
        ({"loss__wgan__clip": 0.0}, "config.loss.wgan.clip = 0.0: must be above 0"),
        ({"loss__r3gan__penalty_weight": -1.0}, "config.loss.r3gan.penalty_weight = -1.0"),
        ({"instance_noise__sigma": -0.1}, "config.instance_noise.sigma = -0.1: must be at least 0"),
        ({"instance_noise__decay_iterations": 0}, "config.instance_noise.decay_iterations = 0"),
        ({"loss__name": "lsgan"}, "config.loss.name = 'lsgan': choose 'wgan_gp', '"),
        ({"backbone": "vae"}, "config.backbone = 'vae': choose 'gcgan', 'dcgan' or 'resnet'"),
        (
            {"backbone": "dcgan", "generator__width": 1},
            "config.generator.width = 1: must be at least 2: each block halves it",
        ),
        (
            {"backbone": "dcgan", "operator": "ecc", "generator__graph_blocks": (2,)},
            "config.generator.graph_blocks = (2,): choose blocks 1 to 1",
        ),
        (
            {"backbone": "dcgan", "generator__noise__blocks": (2,)},
            "config.generator.noise.blocks = (2,): choose blocks 1 to 1",
        ),
        ({"extensions": ("no_such",)}, "config.extensions: 'no_such' cannot be imported"),
        ({"seed": -1}, "config.seed = -1"),
        ({"iterations_per_call": 3}, "config.num_iterations = 4: must be a multiple"),
        ({"iterations_per_call": 4}, "config.log_every = 2: must be a multiple"),
        (
            {"compute_dtype": "float16"},
            "config.compute_dtype = 'float16': choose",
        ),
        ({"matmul_precision": "low"}, "config.matmul_precision = 'low': choose"),
        ({"profile": (3,)}, "config.profile = (3,): needs 2 numbers"),
        ({"profile": (3, 2)}, "config.profile = (3, 2)"),
        ({"profile": (0, 2)}, "config.profile = (0, 2)"),
        ({"optimizer__name": "sgd"}, "config.optimizer.name = 'sgd'"),
        ({"optimizer__b2": 1.0}, "config.optimizer.b2 = 1.0"),
        ({"optimizer__eps": 0.0}, "config.optimizer.eps"),
        ({"data__name": "mnist"}, "config.data.name = 'mnist'"),
        ({"data__image_size": 24}, "config.data.image_size = 24"),
        ({"data__image_size": 8}, "config.data.image_size = 8"),
        (
            {"data__image_size": 64, "data__name": "cifar10"},
            "config.data (cifar10): image_size = 64",
        ),
        ({"data__channels": 1}, "config.data.channels = 1"),
        ({"data__twins__jitter": 5}, "config.data (twins): jitter = 5"),
        ({"data__twins__num_train": 0}, "config.data.twins.num_train = 0"),
        (
            {"data__name": "echo", "data__echo__tile": 6},
            "(echo): tile = 6 leaves no cells far apart (image_size = 16): choose 1 to 5",
        ),
        ({"data__echo__kinds": 0}, "config.data.echo.kinds = 0: must be at least 1"),
        ({"data__palette__share": 1.5}, "config.data.palette.share = 1.5: must be at least 0"),
        (
            {"generator__width": 3},
            "config.generator.width = 3: must be at least 4: each block halves it",
        ),
        ({f"{LAYER}__local_expansion": 0.0}, "graph_layer.local_expansion = 0.0: must be above 0"),
        (
            {f"{LAYER}__local_expansion": 2.0, f"{LAYER}__local": "linear"},
            "generator.graph_layer.local_expansion = 2.0: widens the 3x3 convolution: choose loc",
        ),
        ({"generator__latent_size": 0}, "config.generator.latent_size = 0"),
        (
            {"operator": "gat"},
            "graph_layer.operator.name = 'gat': choose 'none', 'edge_conv', 'ecc', '",
        ),
        (
            {"operator": "ecc", "k": 248},
            "config.generator.graph_layer (block 2): k = 248 does not fit a 16x16 feature map",
        ),
        (
            {"critic__graph_layer__operator__name": "ecc", "critic__graph_after": (1, 3)},
            "config.critic.graph_layer (graph_after = 3): a kNN graph needs sides of at least",
        ),
        (
            {"generator__graph_layer__graph__name": "rign"},
            "config.generator.graph_layer.graph.name = 'rign': choose 'knn', 'soft_knn', 'self', ",
        ),
        (
            {"critic__graph_layer__merge__name": "gat"},
            "config.critic.graph_layer.merge.name = 'gat': choose 'average', 'sum', 'gate' or 's",
        ),
        (
            {
                "operator": "ecc",
                **{f"{GRAPH}__name": "far", f"{GRAPH}__far__k": 8},
                "generator__graph_blocks": (1,),
            },
            "config.generator.graph_layer (block 1): exclude = 4 leaves no candidates on a 8x8",
        ),
        (
            {"operator": "ecc", f"{GRAPH}__name": "ring", f"{GRAPH}__ring__k": 248},
            "config.generator.graph_layer (block 2): k = 248 does not fit a 16x16 feature map",
        ),
        (
            {"operator": "ecc", f"{GRAPH}__knn__dilation": 100},
            "k = 3 with dilation = 100 does not fit a 16x16 feature map: choose 1 <= k * dil",
        ),
        ({f"{GRAPH}__knn__metric": "l1"}, "knn.metric = 'l1': choose 'euclidean' or 'cosine'"),
        ({f"{GRAPH}__knn__exclude": -1}, "knn.exclude = -1: must be at least 0"),
        ({f"{GRAPH}__knn__position": -1.0}, "knn.position = -1.0: must be at least 0"),
        ({f"{GRAPH}__knn__threshold": -1.0}, "knn.threshold = -1.0: must be at least 0"),
        ({f"{GRAPH}__soft_knn__temperature": 0.0}, "soft_knn.temperature = 0.0: must be above 0"),
        ({f"{GRAPH}__soft_knn__features": 0}, "soft_knn.features = 0: must be at least 1"),
        ({f"{OPERATOR}__ecc__delta_rule": "auto"}, "ecc.delta_rule = 'auto': choose 'fixed', "),
        ({f"{OPERATOR}__self_attention__inner": 0}, "self_attention.inner = 0: must be at l"),
        ({f"{OPERATOR}__chebyshev__order": 0}, "chebyshev.order = 0: must be at least 1"),
        ({"generator__graph_layer__local": "none"}, "graph_layer.local = 'none': choose 'conv'"),
        ({"generator__graph_layer__merge__scale__initial": -1.0}, "scale.initial = -1.0: must"),
        ({"generator__stem": "zero"}, "config.generator.stem = 'zero': choose 'dense'"),
        ({"generator__stem": "constant"}, "config.generator.stem = 'constant': all images would"),
        ({"generator__noise__blocks": (3,)}, "generator.noise.blocks = (3,): choose blocks 1 to 2"),
        ({"generator__noise__blocks": (0,)}, "generator.noise.blocks = (0,): needs 0 to 7 numb"),
        ({"generator__noise__strength": -1.0}, "generator.noise.strength = -1.0: must be at l"),
        (
            {
                f"{CRITIC}__operator__name": "ecc",
                f"{CRITIC}__operator__ecc__delta_rule": "adaptive",
            },
            "config.critic.graph_layer.operator.ecc.delta_rule = 'adaptive': the images of a",
        ),
        (
            {
                f"{CRITIC}__operator__name": "edge_conv",
                f"{CRITIC}__merge__average__normalise": True,
            },
            "config.critic.graph_layer.merge.average.normalise = True: the images of a batch",
        ),
        (
            {f"{CRITIC}__operator__name": "edge_conv", f"{CRITIC}__graph__name": "shuffled"},
            "config.critic.graph_layer.graph.name = 'shuffled': the images of a batch",
        ),
        ({"critic__norm": "instance"}, "config.critic.norm = 'instance': choose 'none', 'layer', "),
        (
            {"critic__norm": "batch", "loss__name": "r3gan"},
            "config.critic.norm = 'batch': the images of a batch affect each other, but the "
            "penalty of config.loss.name = 'r3gan' needs each by itself: choose another value, or "
            "for config.loss.name, choose 'wgan', 'minimax', 'non_saturating' or 'hinge'",
        ),
        ({"operator": "ecc", "k": 0}, "config.generator.graph_layer.graph.knn.k = 0"),
        (
            {"operator": "ecc", "generator__graph_blocks": (3,)},
            "config.generator.graph_blocks = (3,): choose blocks 1 to 2",
        ),
        (
            {f"{OPERATOR}__edge_conv__reduction": "min"},
            "operator.edge_conv.reduction = 'min': choose",
        ),
        (
            {f"{OPERATOR}__ecc__delta": 0.0},
            "operator.ecc.delta = 0.0: must be above 0",
        ),
        (
            {f"{OPERATOR}__ecc__hidden": -1},
            "operator.ecc.hidden = -1: must be at least 1",
        ),
        ({"ema_decay": 1.0}, "config.ema_decay = 1.0: must be above 0 and below 1, or None"),
        ({"eval_every": -2}, "config.eval_every = -2"),
        ({"iterations_per_call": 2, "eval_every": 3}, "config.eval_every = 3: must be a multiple"),
        ({"eval__network": "vgg"}, "config.eval.network = 'vgg': choose"),
        (
            {"eval__network": "structure", "data__name": "cifar10", "data__image_size": 32},
            "config.eval.network = 'structure': requires images of known structure: as config.data",
        ),
        ({"eval__protocol": "tiny"}, "config.eval.protocol = 'tiny': choose"),
        ({"eval__split": "valid"}, "config.eval.split = 'valid'"),
        ({"eval__batch_norm": "none"}, "config.eval.batch_norm = 'none'"),
        ({"eval__batch_size": 0}, "config.eval.batch_size = 0"),
        ({"checkpoint": "last"}, "config.checkpoint = 'last'"),
        ({"critic__widths": ()}, "config.critic.widths = (): needs 1 to 7 numbers"),
        ({"critic__widths": (8,) * 8}, "config.critic.widths = (8, 8, 8, 8, 8, 8, 8, 8): needs 1"),
        (
            {"critic__widths": (8,) * 5},
            "critic.widths = (8, 8, 8, 8, 8): each halves the images' side of 16: choose at most 4",
        ),
        (
            {f"{CRITIC}__operator__name": "global", "critic__graph_after": (4,)},
            "config.critic.graph_after = (4,): there are 3 critic.widths: choose 1 to 3",
        ),
    ],
)
def test_invalid_values_are_rejected(tiny: Tiny, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        tiny(**changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
