"""Find networks without an operator that have as many parameters as one with it.

    python -m scripts.matched --config=configs/edge_conv.py

Prints the parameters of the config's generator, and the fields that spend those of its graph layers
on local computation instead: in a wider local branch of the same blocks, or in a wider network.
`configs/matched.py` holds the results for the thesis's generator.
"""

import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
from absl import app
from ml_collections import ConfigDict, config_flags

from gcgan_jax.config.choices import Choice
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import make_experiment
from gcgan_jax.experiment.networks import has_operator, upsampling_blocks
from gcgan_jax.layers.graph_conv import hidden_features
from gcgan_jax.report import markdown

LARGEST_WIDTH = 2**14
STEPS = range(-50, 51)  # thousandths by which an expansion may differ from the first estimate


class Layer(NamedTuple):
    """A graph layer: its features, in and out, and the number of its parameters."""

    features: int
    parameters: int


def main(config: ConfigDict | None) -> None:
    try:
        if config is None:
            raise UserError("--config is missing: name a config file, such as configs/ecc.py")
        report(from_mapping(config.to_dict()))
    except UserError as error:
        sys.exit(f"matched: {error}")


def report(config: Config) -> None:
    """Print the table for a config.

    Raises:
        UserError: its generator has no operator, or as in `make_experiment`.
    """
    total, layers = count(config)
    if not has_operator(config.generator.graph_layer):
        raise UserError(
            "config.generator.graph_layer.operator.name = 'none': there is nothing to match: "
            "choose a config with an operator"
        )
    print(f"{total:,} parameters, {sum(n for _, n in layers):,} of them in graph layers\n")
    print(markdown.header("matched by", "parameters", "difference", "fields"))
    expansion = expansion_for(layers)
    smallest = max(2 ** upsampling_blocks(config), config.generator.width // 2)
    width = width_for(total, lambda w: count(baseline(config, w)).total, smallest)
    for name, field, value, matched in (
        ("local branch", "graph_layer.local_expansion", expansion, local(config, expansion)),
        ("width", "width", width, baseline(config, width)),
    ):
        n = count(matched).total
        fields = (
            "--config.generator.graph_layer.operator.name=none",
            f"--config.generator.{field}={value}",
        )
        print(markdown.row(name, f"{n:,}", f"{n / total - 1:+.2%}", f"`{' '.join(fields)}`"))


class Counts(NamedTuple):
    """The number of a generator's parameters, and its graph layers."""

    total: int
    layers: list[Layer]


def count(config: Config) -> Counts:
    """Count the parameters of the generator, without computing any."""
    params = make_experiment(config).state_shapes().generator.params
    sizes = {name: sum(p.size for p in jax.tree.leaves(layer)) for name, layer in params.items()}
    layers = [
        Layer(params[name]["bias"].size, size)
        for name, size in sizes.items()
        if name.endswith("_graph")
    ]
    return Counts(sum(sizes.values()), layers)


def local(config: Config, expansion: float) -> Config:
    """Return the config with a wider local branch instead of the operator."""
    layer = config.generator.graph_layer
    layer = replace(layer, operator=Choice("none", {}), local="conv", local_expansion=expansion)
    return replace(config, generator=replace(config.generator, graph_layer=layer))


def baseline(config: Config, width: int) -> Config:
    """Return the config with another width and without graph layers."""
    layer = replace(config.generator.graph_layer, operator=Choice("none", {}), local_expansion=None)
    return replace(config, generator=replace(config.generator, graph_layer=layer, width=width))


def local_parameters(features: int, expansion: float) -> int:
    """Count a 3x3 convolution to m features, a 1x1 convolution from them, and a bias."""
    m = hidden_features(expansion, features)
    return 9 * features * m + m * features + features


def expansion_for(layers: Sequence[Layer]) -> float:
    """Return the expansion, in thousandths, at which all layers together are closest in number.

    Each layer's m = round(expansion * features) is a whole number, so that the sums differ by about
    half a feature of one layer, at most.
    """
    target = sum(parameters for _, parameters in layers)
    estimate = sum(p - f for f, p in layers) / sum(10 * f * f for f, _ in layers)

    def error(expansion: float) -> int:
        return abs(sum(local_parameters(f, expansion) for f, _ in layers) - target)

    candidates = [round(estimate + step / 1000, 3) for step in sorted(STEPS, key=abs)]
    return min((e for e in candidates if e > 0), key=error)


def width_for(target: int, parameters: Callable[[int], int], smallest: int) -> int:
    """Return the width whose number of parameters, which grows with it, is closest to a target.

    Args:
        parameters: the number for a width.
        smallest: the smallest width to try, of no more parameters than the target.
    """
    widths = range(smallest, LARGEST_WIDTH)
    index = bisect_left(widths, target, key=parameters)
    return min(widths[max(0, index - 1) : index + 1], key=lambda w: abs(parameters(w) - target))


if __name__ == "__main__":
    flag = config_flags.DEFINE_config_file("config", None, "Config file, e.g. configs/ecc.py.")
    app.run(lambda _: main(flag.value))
