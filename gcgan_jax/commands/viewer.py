"""Data of the neighbour viewer: images and edges of a trained generator under several graphs.

n images, N = side * side nodes of a layer, k neighbours.
"""

import io
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.typing import VariableDict
from PIL import Image

from gcgan_jax.commands.ablate import TRAINED, Rule, make_rules
from gcgan_jax.commands.edges import Edges, edges_of
from gcgan_jax.commands.trained import Trained, load_generator
from gcgan_jax.data.pixels import unscale
from gcgan_jax.errors import one_line
from gcgan_jax.experiment.networks import graph_blocks, uses_graph
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.rng import Latents
from gcgan_jax.graphs.soft_knn import SoftKNN
from gcgan_jax.runtime.printable import escaped

IMAGES = 4  # of a viewer in a report, at most
SOFT = "soft_knn"
RULES = {  # the graphs that a viewer offers, and what it says of them
    TRAINED: "The graph that this generator was trained with",
    "knn": "The k nearest in feature space, outside the 3x3 window",
    SOFT: "The k nearest, weighted by softmax of -|x_j - x_i|^2 / (0.3 F), F features: not trained",
    "self": "Each pixel is its own only neighbour",
    "ring": "The k spatially nearest outside the 3x3 window",
    "random": "As many random pixels outside the 3x3 window",
}
NEAREST = 0.3  # squared difference of nearest neighbours per feature, see `operators.ecc.w2_stddev`
QUICK = {  # for XLA's CPU compiler: these programs run once, and compiling them takes the time
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
}

Json = dict[str, Any]


@dataclass(frozen=True)
class View:
    """What a generator makes of n latents if all its graph layers follow a rule."""

    rule: str
    images: np.ndarray  # uint8 [n, H, W, F]
    edges: dict[str, Edges]  # by name of the layer

    def first(self, count: int) -> "View":
        """Return the view of the first latents alone."""
        edges = {
            name: Edges(of.neighbours[:count], of.gamma[:count]) for name, of in self.edges.items()
        }
        return View(self.rule, self.images[:count], edges)


def views(trained: Trained, latents: Latents) -> Iterator[View]:
    """Yield a view for each of RULES that applies, the trained graph first.

    Images and edges are those with running statistics.
    """
    gan, layer = trained.experiment.gan, trained.experiment.config.generator.graph_layer
    side = 4 * 2 ** min(graph_blocks(trained.experiment.config))
    rules = [rule for rule in make_rules(layer, side) if rule.name in RULES]
    for rule in rules:
        yield _view(rule, gan, trained.variables, latents)
    if layer.graph.name != SOFT:
        soft, variables = _soft(gan, trained.variables, latents, layer.graph.section["k"])
        yield _view(soft, gan, variables, latents)


def viewer_of_run(workdir: Path, budget: int) -> Json:
    """Return the viewer of a run's newest checkpoint, or {"missing": why there is none}.

    Args:
        budget: bytes, see `fitted`.
    """
    try:
        trained = load_generator(workdir)
        layer = trained.experiment.config.generator.graph_layer
        if not uses_graph(layer):
            return {"missing": f"operator {layer.operator.name!r} uses no graph"}
        latents = trained.experiment.config.show.latents[:IMAGES]
        shown = list(views(trained, trained.latents(latents)))
    except Exception as error:  # a damaged checkpoint can raise anything; other runs are shown
        return {"missing": escaped(one_line(error))}
    return fitted(trained, latents, shown, budget)


def fitted(trained: Trained, latents: Sequence[int], shown: Sequence[View], budget: int) -> Json:
    """Return `as_json`, of fewer images and rules if all are more than `budget` bytes."""
    for count, rules in ((len(latents), len(shown)), (1, len(shown)), (1, 1)):
        data = as_json(trained, latents[:count], [view.first(count) for view in shown[:rules]])
        if len(json.dumps(data)) <= budget:
            return data
    return {"missing": "its edges are too many for this page: --mode=neighbours --out=FILE.html"}


def _view(rule: Rule, gan: GAN, variables: VariableDict, latents: Latents) -> View:
    generator = rule.apply(gan).generator

    @partial(jax.jit, compiler_options=QUICK if jax.default_backend() == "cpu" else None)
    @jax.default_matmul_precision(gan.matmul_precision)
    def generate(variables: VariableDict, latents: Latents) -> tuple[jax.Array, VariableDict]:
        images, recorded = generator.apply(variables, *latents, train=False, mutable=["edges"])
        return unscale(images), recorded["edges"]

    images, recorded = jax.device_get(generate(variables, latents))
    return View(rule.name, images, edges_of(recorded))


def _soft(gan: GAN, variables: VariableDict, latents: Latents, k: int) -> tuple[Rule, VariableDict]:
    """Return a rule of soft kNN, and variables in which it compares the features themselves."""
    _, shapes = jax.eval_shape(
        partial(gan.generator.apply, train=False, mutable=["branches"]), variables, *latents
    )
    sizes = {name: of["inputs"][0].shape[-1] - 2 for name, of in shapes["branches"].items()}
    largest = max(sizes.values())
    params = dict(variables["params"])
    for name, size in sizes.items():
        graph = {"w_q": jnp.eye(size, largest), "w_p": jnp.eye(size, largest)}
        params[name] = params[name] | {
            "graph": graph | {"log_temperature": jnp.log(NEAREST * size)}
        }
    rule = Rule(SOFT, {"graph": partial(SoftKNN, k=k, features=largest)})
    return rule, {**variables, "params": params}


def as_json(trained: Trained, latents: Sequence[int], shown: Sequence[View]) -> Json:
    """Return views for the viewer's script; `latents` are the numbers of the images."""
    config = trained.experiment.config
    layer = config.generator.graph_layer
    return {
        "iteration": trained.iteration,
        "ema": config.show.ema,
        "graph": layer.graph.name,
        "operator": layer.operator.name,
        "latents": list(latents),
        "rules": [_rule_as_json(view) for view in shown],
    }


def _rule_as_json(view: View) -> Json:
    return {
        "name": view.rule,
        "explanation": RULES[view.rule],
        "images": [_png(image) for image in view.images],
        "layers": [_layer_as_json(name, edges) for name, edges in view.edges.items()],
    }


def _layer_as_json(name: str, edges: Edges) -> Json:
    """Encode the edges; a graph that is the same for all images is stored once."""
    neighbours, gamma = edges.neighbours, edges.gamma
    if (neighbours == neighbours[:1]).all():
        neighbours = neighbours[:1]
    dtype = next(d for d in ("<u1", "<u2", "<u4") if neighbours.shape[1] <= 2 ** (8 * int(d[-1])))
    largest = float(gamma.max())
    weights = None
    if (gamma != 1).any() and largest > 0:
        weights = _base64(np.round(gamma / largest * (2**16 - 1)).astype("<u2"))
    return {
        "name": name,
        "side": edges.side,
        "k": neighbours.shape[-1],
        "neighbours": _base64(neighbours.astype(dtype)),
        "bytes": int(dtype[-1]),
        "weights": weights,
        "largest": largest,
    }


def _base64(array: np.ndarray) -> str:
    return b64encode(array.tobytes()).decode()


def _png(image: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(np.squeeze(image)).save(file, format="png")  # grey images lose their axis
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
