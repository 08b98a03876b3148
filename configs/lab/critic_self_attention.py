"""Self-attention in the critic, after its second convolution, behind a gate."""

from configs import quickstart


def get_config():
    config = quickstart.get_config()
    config.critic.graph_after = (2,)
    layer = config.critic.graph_layer
    layer.operator.name = "self_attention"
    layer.local = "identity"
    layer.merge.name = "gate"
    return config
