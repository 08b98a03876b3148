"""From a config to objects: the only place that reads names and fields, and checks them together.

What is built takes plain values; nothing below knows of the config.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from gcgan_jax.config.choices import Choice, complete, part, require_named
from gcgan_jax.config.schema import Config, GraphLayer, to_mapping
from gcgan_jax.data import DATASETS
from gcgan_jax.data.images import Dataset, Images
from gcgan_jax.data.twins import ProceduralTwins, Twins
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.evaluator import Evaluator
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.protocol import PROTOCOLS, Protocol, Provenance
from gcgan_jax.evaluation.reference_statistics import digest_of, load_reference
from gcgan_jax.evaluation.scorers import Scorer, make_network_scorer, make_structure_scorer
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import make_optimizers
from gcgan_jax.gan.rng import Streams, streams
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State, init_state
from gcgan_jax.gan.step import Algorithm, Step, make_train_step
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.graph_conv import GraphConv
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS
from gcgan_jax.training.diagnostics import Diagnostics


@dataclass(frozen=True)
class Experiment:
    """A config, complete with the defaults of the parts that it names, and what it describes.

    Attributes:
        protocol: by which scores are obtained.
    """

    config: Config
    dataset: Dataset
    algorithm: Algorithm
    protocol: Protocol

    @property
    def gan(self) -> GAN:
        return self.algorithm.gan

    @property
    def keys(self) -> Streams:
        return streams(self.config.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """The config as it is written to `config.json`."""
        return to_mapping(self.config)

    @property
    def twins(self) -> Twins | None:
        """What the images look like, if they are procedural."""
        return self.dataset.spec if isinstance(self.dataset, ProceduralTwins) else None

    def load_images(self) -> Images:
        """The data set.

        Raises:
            UserError: it is absent or corrupted, or smaller than a batch.
        """
        images = self.dataset.load()
        if len(images.train) < self.config.batch_size:
            raise UserError(
                f"config.batch_size = {self.config.batch_size} is larger than the "
                f"{len(images.train)} training images of {self.config.data.name}"
            )
        return images

    def init_state(self) -> State:
        """The state that training starts from, on the host."""
        return jax.device_get(jax.jit(self._init)(self.keys.parameters))

    def state_shapes(self) -> State:
        return jax.eval_shape(self._init, self.keys.parameters)

    def _init(self, key: jax.Array) -> State:
        ema = self.algorithm.ema_decay is not None
        return init_state(self.gan, self.algorithm.optimizers, key, ema=ema)

    def train_step(self, devices: Sequence[jax.Device]) -> Step:
        """See `make_train_step`."""
        return make_train_step(
            self.algorithm,
            self.keys.training,
            batch_size=self.config.batch_size,
            iterations_per_call=self.config.iterations_per_call,
            devices=devices,
        )

    def sampler(self, devices: Sequence[jax.Device], batch_norm: str | None = None) -> Sampler:
        """Makes images, normalised as config.eval.batch_norm says unless `batch_norm` does."""
        config = self.config.eval
        return Sampler(self.gan, batch_norm or config.batch_norm, config.batch_size, devices)

    def diagnostics(self, images: Images, sampler: Sampler) -> Diagnostics:
        n = self.config.figure_images
        return Diagnostics(
            self.gan,
            sampler,
            self.keys.looking,
            {"train": images.train[:n], "test": images.test[:n]},
            n,
            self.twins,
        )

    def evaluator(self, images: Images, devices: Sequence[jax.Device]) -> Evaluator:
        """Scores by comparing with these images.

        Raises:
            UserError: no weights; or the devices, the images or the protocol do not fit.
        """
        config = self.config.eval
        sampler = self.sampler(devices)
        real = images.test if config.split == "test" else images.train
        digest = digest_of(real)
        scorer = self._scorer(real, digest, devices)
        provenance = Provenance(
            network=scorer.network,
            weights=scorer.weights,
            protocol=self.protocol.name,
            samples=self.protocol.samples,
            splits=self.protocol.splits,
            data=f"{self.config.data.name} {digest}",
            split=config.split,
            batch_norm=config.batch_norm,
        )
        return Evaluator(scorer, sampler, self.keys.scoring, self.config.seed, provenance)

    def _scorer(self, real: Any, digest: str, devices: Sequence[jax.Device]) -> Scorer:
        config = self.config.eval
        if config.network == "structure":
            assert self.twins is not None  # see _check
            return make_structure_scorer(self.twins, real, self.protocol)
        if len(real) < self.protocol.subset_size:
            raise UserError(
                f"config.eval.split = {config.split!r} of {self.config.data.name} has {len(real)} "
                f"images, but config.eval.protocol = {config.protocol!r} compares subsets of "
                f"{self.protocol.subset_size}"
            )
        cache = Path(config.cache).expanduser()
        network = load_network(config.network, config.inception_weights, cache)
        side = real.shape[1]
        if network.side not in (None, side):
            raise UserError(
                f"config.eval.network = {network.name!r} takes images of "
                f"{network.side}x{network.side} pixels, these have {side}: choose 'inception'"
            )
        extract = make_extractor(network, devices)
        batches = in_batches(real, config.batch_size, len(devices))
        reference = load_reference(real, digest, network, cache, extract, batches)
        return make_network_scorer(network, extract, reference, self.protocol)


def make_experiment(config: Config) -> Experiment:
    """What a config describes.

    Raises:
        UserError: it names a part that is not known or whose fields are wrong, or its values do not
            fit each other.
    """
    for module in config.extensions:
        _import_extension(module)
    config = _complete(config)
    _check(config)
    optimizer = config.optimizer
    algorithm = Algorithm(
        gan=_make_gan(config),
        loss=part(LOSSES, config.loss)(),
        optimizers=make_optimizers(
            optimizer.name,
            config.learning_rate,
            decay_iterations=config.decay_iterations,
            n_critic=config.n_critic,
            b1=optimizer.b1,
            b2=optimizer.b2,
            eps=optimizer.eps,
        ),
        n_critic=config.n_critic,
        ema_decay=config.ema_decay,
    )
    return Experiment(config, _make_dataset(config), algorithm, PROTOCOLS[config.eval.protocol])


def _import_extension(module: str) -> None:
    """Imports a module that adds parts to the tables, as `OPERATORS["mine"] = Mine`."""
    try:
        importlib.import_module(module)
    except Exception as error:  # it is code: anything may come out of it
        raise UserError(
            f"config.extensions: {module!r} cannot be imported ({type(error).__name__}: {error}): "
            "name modules as Python imports them from here"
        ) from error


def _complete(config: Config) -> Config:
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


def _make_dataset(config: Config) -> Dataset:
    data = config.data
    make = part(DATASETS, data, dir=data.dir, image_size=data.image_size, seed=config.seed)
    try:
        return make()
    except ValueError as error:
        raise UserError(f"config.data ({data.name}): {error}") from None


def _make_gan(config: Config) -> GAN:
    g, c, data = config.generator, config.critic, config.data
    backbone = BACKBONES[config.backbone]
    dtype = jnp.bfloat16 if config.compute_dtype == "bfloat16" else None  # as the parameters
    norm = partial(
        nn.BatchNorm,
        momentum=g.norm_momentum,
        epsilon=g.norm_epsilon,
        dtype=dtype,
        param_dtype=float,
    )
    generator = backbone.generator(
        blocks=_blocks(config),
        width=g.width,
        channels=data.channels,
        graph_blocks=graph_blocks(config),
        graph_conv=_graph_conv(g.graph_layer, dtype),
        norm=norm,
        dtype=dtype,
    )
    critic = backbone.critic(
        widths=c.widths,
        slope=c.slope,
        graph_after=graph_convs_of_critic(config),
        graph_conv=_graph_conv(c.graph_layer, dtype),
        dtype=dtype,
    )
    shape = (data.image_size, data.image_size, data.channels)
    return GAN(generator, critic, g.latent_size, shape, config.matmul_precision)


def _graph_conv(layer: GraphLayer, dtype: DTypeLike | None) -> partial[GraphConv] | None:
    if OPERATORS[layer.operator.name] is None:
        return None
    return partial(
        GraphConv,
        graph=part(GRAPHS, layer.graph),
        operator=part(OPERATORS, layer.operator, dtype=dtype),
        merge=part(MERGES, layer.merge),
        dtype=dtype,
    )


def _blocks(config: Config) -> int:
    """Upsampling blocks of the generator: side = 4 * 2^blocks."""
    return (config.data.image_size // 4).bit_length() - 1


def graph_blocks(config: Config) -> tuple[int, ...]:
    """The generator's blocks, counted from 1, that carry a graph layer."""
    if OPERATORS[config.generator.graph_layer.operator.name] is None:
        return ()
    return config.generator.graph_blocks or tuple(range(2, _blocks(config) + 1))


def graph_convs_of_critic(config: Config) -> tuple[int, ...]:
    """The critic's convolutions, counted from 1, that a graph layer follows."""
    if OPERATORS[config.critic.graph_layer.operator.name] is None:
        return ()
    return config.critic.graph_after


def _check(config: Config) -> None:
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

    n = _blocks(config)
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
    fits = config.ema_decay is not None or not config.show.averaged
    require(fits, "show.averaged", True, "the run keeps no average; train with ema_decay")
    name = config.checkpoint
    fits = name in ("newest", "best") or (name.isascii() and name.isdecimal())
    require(fits, "checkpoint", name, "'newest', 'best' or an iteration")


def _check_graph(graph: Choice, side: int, place: str) -> None:
    """Raises UserError if a map of this side has no such graph; rules without `check` fit any."""
    check = getattr(part(GRAPHS, graph)(), "check", lambda height, width: None)
    try:
        check(side, side)
    except ValueError as error:
        raise UserError(f"config.{place}: {error}") from None
