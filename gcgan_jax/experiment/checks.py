"""Consistency checks of a config, and defaults of the components that it names."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from gcgan_jax.config.choices import (
    bind,
    component_of,
    fill_defaults,
    require_named,
    takes,
)
from gcgan_jax.config.schema import Config, GraphLayer
from gcgan_jax.data import DATASETS
from gcgan_jax.data.images import Structured
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.experiment.networks import (
    block_features,
    graph_blocks,
    graph_convs_of_critic,
    has_operator,
    upsampling_blocks,
    uses_graph,
)
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS
from gcgan_jax.ranges import OneOf, is_whole_number


def with_defaults(config: Config) -> Config:
    """Return the config with only the chosen components' sections, and all defaults filled in."""

    def fill(layer: GraphLayer, path: str) -> GraphLayer:
        return replace(
            layer,
            graph=fill_defaults(GRAPHS, layer.graph, f"{path}.graph"),
            operator=fill_defaults(OPERATORS, layer.operator, f"{path}.operator"),
            merge=fill_defaults(MERGES, layer.merge, f"{path}.merge"),
        )

    generator, critic = config.generator, config.critic
    return replace(
        config,
        loss=fill_defaults(LOSSES, config.loss, "config.loss"),
        data=fill_defaults(DATASETS, config.data, "config.data"),
        generator=replace(
            generator, graph_layer=fill(generator.graph_layer, "config.generator.graph_layer")
        ),
        critic=replace(critic, graph_layer=fill(critic.graph_layer, "config.critic.graph_layer")),
    )


def check(config: Config) -> None:
    """Raise UserError for the first field whose value is inconsistent with the others."""
    call = config.iterations_per_call
    require_named(BACKBONES, config.backbone, "config.backbone")
    require_named(PROTOCOLS, config.eval.protocol, "config.eval.protocol")
    for field in ("num_iterations", "log_every", "sample_every", "checkpoint_every", "eval_every"):
        value = getattr(config, field)
        valid = value is None or value % call == 0
        require(valid, field, value, f"must be a multiple of iterations_per_call = {call}")
    profile = config.profile
    valid = profile is None or profile[0] <= profile[1]
    require(valid, "profile", profile, "must be the first and the last iteration, such as (10, 12)")

    _check_networks(config)
    _check_independence(config)
    _check_channels(config)
    structured = [name for name, kind in DATASETS.items() if issubclass(kind, Structured)]
    valid = config.eval.network != "structure" or config.data.name in structured
    remedy = f"requires images of known structure: as config.data.name, {OneOf(tuple(structured))}"
    require(valid, "eval.network", "structure", remedy)
    valid = config.ema_decay is not None or not config.show.ema
    require(valid, "show.ema", True, "the run has no EMA: set config.ema_decay when training")
    name = config.checkpoint
    valid = name in ("newest", "best", "example") or is_whole_number(name)
    require(valid, "checkpoint", name, "choose 'newest', 'best', 'example' or an iteration")


def _check_networks(config: Config) -> None:
    g, c, data = config.generator, config.critic, config.data
    n = upsampling_blocks(config)
    valid = data.image_size == 4 * 2**n
    require(valid, "data.image_size", data.image_size, "must be 4 * 2^n, such as 16, 32 or 64")
    for network, layer in (("generator", g.graph_layer), ("critic", c.graph_layer)):
        valid = layer.local_expansion is None or layer.local == "conv"
        remedy = "widens the 3x3 convolution: choose local = 'conv', or None"
        require(valid, f"{network}.graph_layer.local_expansion", layer.local_expansion, remedy)
    features = _of_backbone(partial(block_features, config), "generator.width", g.width)
    remedy = f"choose blocks 1 to {len(features)}"
    for block in graph_blocks(config):
        valid = block <= len(features)
        require(valid, "generator.graph_blocks", g.graph_blocks, remedy)
        field = f"generator.graph_layer (block {block})"
        _check_layer(g.graph_layer, 4 * 2**block, features[block - 1], field)
    valid = max(g.noise.blocks, default=1) <= len(features)
    require(valid, "generator.noise.blocks", g.noise.blocks, remedy)
    valid = g.stem == "dense" or bool(g.noise.blocks)
    require(
        valid, "generator.stem", g.stem, "all images would be equal: set generator.noise.blocks"
    )
    make_sides = partial(BACKBONES[config.backbone].critic_sides, data.image_size, len(c.widths))
    sides = _of_backbone(make_sides, "critic.widths", c.widths)
    for conv in graph_convs_of_critic(config):
        remedy = f"there are {len(sides)} critic.widths: choose 1 to {len(sides)}"
        require(conv <= len(sides), "critic.graph_after", c.graph_after, remedy)
        field = f"critic.graph_layer (graph_after = {conv})"
        _check_layer(c.graph_layer, sides[conv - 1], c.widths[conv - 1], field)


def _of_backbone(answer: Callable[[], tuple[int, ...]], field: str, value: Any) -> tuple[int, ...]:
    """Return what a backbone says of a field.

    Raises:
        UserError: the backbone does not support the field's value.
    """
    try:
        return answer()
    except ValueError as error:
        raise UserError(f"config.{field} = {value!r}: {error}") from None


def require(valid: bool, field: str, value: Any, remedy: str) -> None:
    """Raise UserError that names a field unless its value is valid."""
    if not valid:
        raise UserError(f"config.{field} = {value!r}: {remedy}")


def _check_layer(layer: GraphLayer, side: int, features: int, field: str) -> None:
    """Raise UserError if the layer does not support feature maps of this side and width.

    Graphs and operators without a `check` method support all of them.
    """

    def any_size(*_: int) -> None:
        pass

    if not has_operator(layer):
        return
    graph = bind(GRAPHS, layer.graph)() if uses_graph(layer) else None
    operator = bind(OPERATORS, layer.operator, features=features)()
    try:
        getattr(graph, "check", any_size)(side, side)
        getattr(operator, "check", any_size)(features)
    except ValueError as error:
        raise UserError(f"config.{field}: {error}") from None


def _check_channels(config: Config) -> None:
    """Raise UserError if the data set has only RGB images, but others are asked for."""
    data = config.data
    any_channels = [name for name in DATASETS if takes(DATASETS[name], "channels")]
    valid = data.channels == 3 or takes(component_of(DATASETS, data), "channels")
    remedy = f"{data.name} has RGB images: choose 3, or for config.data.name, "
    require(valid, "data.channels", data.channels, f"{remedy}{OneOf(tuple(any_channels))}")


def _check_independence(config: Config) -> None:
    """Raise UserError if the loss penalises single images, but the critic sees them as a batch."""
    allowed = tuple(
        name for name, loss in LOSSES.items() if not getattr(loss, "per_sample_penalty", True)
    )
    if config.loss.name in allowed:
        return
    remedy = (
        f"the images of a batch affect each other, but the penalty of config.loss.name = "
        f"{config.loss.name!r} needs each by itself: choose another value, or for "
        f"config.loss.name, {OneOf(allowed)}"
    )
    critic, layer = config.critic, config.critic.graph_layer
    require(critic.norm != "batch", "critic.norm", critic.norm, remedy)
    if has_operator(layer):
        for choice, path, field, value in (
            (layer.operator, "operator", "delta_rule", "adaptive"),
            (layer.merge, "merge", "normalise", True),
        ):
            valid = choice.section.get(field) != value
            require(valid, f"critic.graph_layer.{path}.{choice.name}.{field}", value, remedy)
        valid = layer.graph.name != "shuffled" or not uses_graph(layer)
        require(valid, "critic.graph_layer.graph.name", layer.graph.name, remedy)
