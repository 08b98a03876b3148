"""Whether a config's values fit each other, and the defaults of the parts that it names."""

from dataclasses import replace
from typing import Any

from gcgan_jax.config.choices import Choice, complete, part, require_named
from gcgan_jax.config.schema import Config, GraphLayer
from gcgan_jax.data import DATASETS
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.experiment.networks import graph_blocks, graph_convs_of_critic, upsampling_blocks
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS


def with_defaults(config: Config) -> Config:
    """The config with just the sections of the parts that it names, each with all its fields."""

    def layer(of: GraphLayer, path: str) -> GraphLayer:
        return GraphLayer(
            graph=complete(GRAPHS, of.graph, f"{path}.graph"),
            operator=complete(OPERATORS, of.operator, f"{path}.operator"),
            merge=complete(MERGES, of.merge, f"{path}.merge"),
        )

    generator, critic = config.generator, config.critic
    return replace(
        config,
        loss=complete(LOSSES, config.loss, "config.loss"),
        data=complete(DATASETS, config.data, "config.data"),
        generator=replace(
            generator, graph_layer=layer(generator.graph_layer, "config.generator.graph_layer")
        ),
        critic=replace(critic, graph_layer=layer(critic.graph_layer, "config.critic.graph_layer")),
    )


def check(config: Config) -> None:
    """Raises UserError for the first value that does not fit the others."""
    g, c, data, call = config.generator, config.critic, config.data, config.iterations_per_call

    def require(holds: bool, field: str, value: Any, remedy: str) -> None:
        if not holds:
            raise UserError(f"config.{field} = {value!r}: {remedy}")

    require_named(BACKBONES, config.backbone, "config.backbone")
    require_named(PROTOCOLS, config.eval.protocol, "config.eval.protocol")
    for field in ("num_iterations", "log_every", "sample_every", "checkpoint_every", "eval_every"):
        value = getattr(config, field)
        fits = value is None or value % call == 0
        require(fits, field, value, f"must be a multiple of iterations_per_call = {call}")
    traced = config.profile
    fits = traced is None or traced[0] <= traced[1]
    require(fits, "profile", traced, "the first and the last iteration, as (10, 12)")

    n = upsampling_blocks(config)
    fits = data.image_size == 4 * 2**n
    require(fits, "data.image_size", data.image_size, "must be 16, 32, 64 or another 4 * 2^n")
    fits = g.width % 2**n == 0
    require(fits, "generator.width", g.width, f"must be a multiple of {2**n}: {n} blocks halve it")
    for block in graph_blocks(config):
        require(block <= n, "generator.graph_blocks", g.graph_blocks, f"blocks are 1 to {n}")
        _check_graph(g.graph_layer.graph, 4 * 2**block, f"generator.graph_layer (block {block})")
    for number in graph_convs_of_critic(config):
        side = data.image_size // 2**number
        _check_graph(c.graph_layer.graph, side, f"critic.graph_layer (after convolution {number})")

    fits = config.eval.network != "structure" or data.name == "twins"
    require(fits, "eval.network", "structure", "needs data.name='twins'")
    fits = config.ema_decay is not None or not config.show.ema
    require(fits, "show.ema", True, "the run keeps no EMA: train with ema_decay")
    name = config.checkpoint
    fits = name in ("newest", "best", "example") or (name.isascii() and name.isdecimal())
    require(fits, "checkpoint", name, "'newest', 'best', an iteration, or 'example'")


def _check_graph(graph: Choice, side: int, place: str) -> None:
    """Raises UserError if a map of this side has no such graph; rules without `check` fit any."""
    check = getattr(part(GRAPHS, graph)(), "check", lambda height, width: None)
    try:
        check(side, side)
    except ValueError as error:
        raise UserError(f"config.{place}: {error}") from None
