"""Construction of an experiment from a config: resolves its names and checks its consistency.

No other package does this: the objects take plain values and do not depend on the config.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax

from gcgan_jax.config.choices import bind
from gcgan_jax.config.compatibility import digest
from gcgan_jax.config.schema import Config, to_mapping
from gcgan_jax.data import DATASETS
from gcgan_jax.data.images import Dataset, Images, Structured
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.cache import Cache
from gcgan_jax.evaluation.diagnostics import Diagnostics
from gcgan_jax.evaluation.evaluator import Evaluator
from gcgan_jax.evaluation.features import in_batches, make_extractor
from gcgan_jax.evaluation.networks import load_network
from gcgan_jax.evaluation.protocol import PROTOCOLS, Protocol, Provenance
from gcgan_jax.evaluation.reference_statistics import digest_of, load_reference
from gcgan_jax.evaluation.scorers import Scorer, make_network_scorer, make_structure_scorer
from gcgan_jax.experiment.checks import check, with_defaults
from gcgan_jax.experiment.networks import make_gan
from gcgan_jax.gan.instance_noise import InstanceNoise
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.gan.networks import GAN
from gcgan_jax.gan.optimizer import make_optimizers
from gcgan_jax.gan.rng import RunKeys, run_keys
from gcgan_jax.gan.sampler import Sampler
from gcgan_jax.gan.state import State, init_state
from gcgan_jax.gan.step import Algorithm, Step, make_train_step
from gcgan_jax.paths import local_path
from gcgan_jax.runtime.progress import progress


@dataclass(frozen=True)
class Experiment:
    """A config and the objects that it describes.

    Attributes:
        config: all settings, with defaults filled in.
        protocol: the evaluation protocol.
    """

    config: Config
    dataset: Dataset
    algorithm: Algorithm
    protocol: Protocol

    @property
    def gan(self) -> GAN:
        return self.algorithm.gan

    @property
    def keys(self) -> RunKeys:
        return run_keys(self.config.seed)

    @property
    def settings(self) -> dict[str, Any]:
        """The config as a nested mapping, as in `config.json`."""
        return to_mapping(self.config)

    @property
    def run(self) -> str:
        """Digest of the settings that may not change on resume; each checkpoint contains it."""
        return digest(self.settings)

    def load_images(self) -> Images:
        """Load the data set.

        Raises:
            UserError: the data set is missing, corrupted or smaller than a batch.
        """
        images = self.dataset.load()
        if len(images.train) < self.config.batch_size:
            raise UserError(
                f"config.batch_size = {self.config.batch_size} is larger than the "
                f"{len(images.train)} training images of {self.config.data.name}: reduce it"
            )
        return images

    def init_state(self) -> State:
        """Initialise the training state, as host arrays."""
        return jax.device_get(jax.jit(self._init)(self.keys.parameters))

    def state_shapes(self) -> State:
        """Return the shapes and dtypes of the training state."""
        return jax.eval_shape(self._init, self.keys.parameters)

    def _init(self, key: jax.Array) -> State:
        ema = self.algorithm.ema_decay is not None
        return init_state(self.gan, self.algorithm.optimizers, key, ema=ema)

    def train_step(self, devices: Sequence[jax.Device]) -> Step:
        """Build the training step; see `make_train_step`."""
        return make_train_step(
            self.algorithm,
            self.keys.training,
            batch_size=self.config.batch_size,
            iterations_per_call=self.config.iterations_per_call,
            devices=devices,
            from_host=self.config.data.placement == "host",
        )

    def sampler(self, devices: Sequence[jax.Device], batch_norm: str | None = None) -> Sampler:
        """Build a sampler; `batch_norm` defaults to config.eval.batch_norm."""
        config = self.config.eval
        return Sampler(self.gan, batch_norm or config.batch_norm, config.batch_size, devices)

    def diagnostics(self, images: Images, sampler: Sampler) -> Diagnostics:
        """Build the read-only diagnostics of a training state."""
        n = self.config.diagnostic_images
        return Diagnostics(
            self.gan,
            sampler,
            self.keys.samples,
            {"train": images.train[:n], "test": images.test[:n]},
            n,
            self.config.data.name,
            self.dataset,
        )

    def evaluator(self, images: Images, devices: Sequence[jax.Device]) -> Evaluator:
        """Build an evaluator that compares samples with the config's split of `images`.

        Raises:
            UserError: the network's weights are unavailable, or the devices, images or protocol do
                not fit.
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
        return Evaluator(scorer, sampler, self.keys.evaluation, self.config.seed, provenance)

    def _scorer(self, real: Any, digest: str, devices: Sequence[jax.Device]) -> Scorer:
        config = self.config.eval
        if config.network == "structure":
            assert isinstance(self.dataset, Structured)  # ensured by `check`
            return make_structure_scorer(self.dataset, real, self.protocol)
        if len(real) < self.protocol.subset_size:
            raise UserError(
                f"config.eval.split = {config.split!r} of {self.config.data.name} has {len(real)} "
                f"images, but config.eval.protocol = {config.protocol!r} compares subsets of "
                f"{self.protocol.subset_size}: change one of them"
            )
        cache, weights = Cache(config.cache), config.inception_weights
        if weights:
            weights = str(local_path(weights, "config.eval.inception_weights"))
        network = load_network(config.network, weights, cache)
        side = real.shape[1]
        if network.side not in (None, side):
            raise UserError(
                f"config.eval.network = {network.name!r} takes {network.side}x{network.side} "
                f"images, but these are {side}x{side}: choose 'inception'"
            )
        extract = make_extractor(network, devices)
        batches = in_batches(real, config.batch_size, len(devices))
        reference = load_reference(real, digest, network, cache, extract, batches)
        return make_network_scorer(network, extract, reference, self.protocol)


def make_experiment(config: Config) -> Experiment:
    """Build the experiment that a config describes.

    Raises:
        UserError: a component is unknown, its fields are invalid, or the config's values are
            inconsistent.
    """
    for module in config.extensions:
        _import_extension(module)
    config = with_defaults(config)
    check(config)
    optimizer, noise = config.optimizer, config.instance_noise
    algorithm = Algorithm(
        gan=make_gan(config),
        loss=bind(LOSSES, config.loss)(),
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
        instance_noise=InstanceNoise(noise.sigma, noise.decay_iterations) if noise.sigma else None,
    )
    return Experiment(config, _make_dataset(config), algorithm, PROTOCOLS[config.eval.protocol])


def _import_extension(module: str) -> None:
    """Import a module that registers components, as in `OPERATORS["mine"] = Mine`."""
    try:
        importlib.import_module(module)
    except Exception as error:  # a module can raise anything
        raise UserError(
            f"config.extensions: {module!r} cannot be imported ({type(error).__name__}: {error}): "
            "name modules that Python can import from the current directory"
        ) from error


def _make_dataset(config: Config) -> Dataset:
    data = config.data
    directory = str(local_path(data.dir, "config.data.dir")) if data.dir else None
    make = bind(
        DATASETS,
        data,
        dir=directory,
        image_size=data.image_size,
        channels=data.channels,
        seed=config.seed,
        progress=progress,
        mapped=data.placement == "host",
    )
    try:
        return make()
    except ValueError as error:
        raise UserError(f"config.data ({data.name}): {error}") from None
