"""Predicts parameters, FLOPs, memory and time of a training run, for `--mode=plan`."""

import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict
from jax.stages import Compiled

from gcgan_jax.data.images import Images
from gcgan_jax.evaluation.diagnostics import Diagnostics
from gcgan_jax.experiment import Experiment
from gcgan_jax.experiment.placement import make_feed
from gcgan_jax.gan.state import State
from gcgan_jax.platforms import Variant, force_variant
from gcgan_jax.runtime.devices import device_indices, local_copy, replicate
from gcgan_jax.runtime.malloc import release_freed_memory
from gcgan_jax.runtime.memory import peak_on
from gcgan_jax.runtime.traced_cost import trace_cost

VARIANTS: dict[str, Variant] = {"cpu": "cpu", "gpu": "cuda", "tpu": "tpu"}  # by JAX's platform
CALLS, BUDGET = 5, 10.0  # at most so many timed iterations, in about so many seconds
OTHER = "other"  # part of what belongs to no network


@dataclass(frozen=True)
class Part:
    """Parameters of a part of a network, and its FLOPs in one iteration, on all devices."""

    parameters: int
    flops: int


@dataclass(frozen=True)
class Memory:
    """Bytes on a device, by use.

    Attributes:
        networks: parameters and running statistics, and the generator's EMA.
        optimizers: their states.
        images: training images, or batches from the host; on a CPU, also all as they were read.
        training_step: what a training step needs besides.
        diagnostics: what the diagnostics need besides; they and the step take turns.
    """

    networks: int
    optimizers: int
    images: int
    training_step: int
    diagnostics: int

    @property
    def total(self) -> int:
        in_turns = max(self.training_step, self.diagnostics)
        return self.networks + self.optimizers + self.images + in_turns


@dataclass(frozen=True)
class DryRun:
    """What a few iterations on blank images took.

    Attributes:
        peak: most bytes that a device held, if known; on a CPU, the whole process with its
            libraries and the compiler.
        seconds: time of an iteration.
    """

    peak: int | None
    seconds: float


class Rehearsal:
    """The start of a training run, on blank images.

    Iterations run one per call, which affects neither memory nor time.
    """

    def __init__(self, experiment: Experiment, devices: Sequence[jax.Device]) -> None:
        """Raise UserError if the data set has to be loaded to count its images, and cannot be."""
        config = replace(experiment.config, iterations_per_call=1)
        self._experiment, self._devices = replace(experiment, config=config), devices
        shape = (count_images(experiment), *experiment.gan.image_shape)
        self._blank = np.zeros(shape, np.uint8)  # the system provides memory when it is used
        self._state = experiment.state_shapes()
        self._step = self._experiment.train_step(devices)
        self._on_cpu = devices[0].platform == "cpu"
        self._on_host = config.data.placement == "host"

    def trace(self) -> tuple[dict[str, Part], Memory]:
        """Return all parts of the networks, and an estimate of the memory."""
        with force_variant(VARIANTS.get(self._devices[0].platform, "default")):
            step = jax.make_jaxpr(self._step)(self._state, *self._constants)
            diagnostics = jax.make_jaxpr(self._diagnostics().measure)(self._state)
        cost = trace_cost(step.jaxpr)
        flops = Counter({scope: n * len(self._devices) for scope, n in cost.flops.items()})
        memory = self._memory(cost.bytes, trace_cost(diagnostics.jaxpr).bytes)
        return parts_of(self._experiment, self._state, flops), memory

    def compile(self, estimate: Memory) -> tuple[Compiled, Memory]:
        """Return the compiled step, and the memory as its compiler plans it."""
        compiled = self._step.lower(self._state, *self._constants).compile()
        planned: Any = compiled.memory_analysis()
        if not planned:
            return compiled, estimate
        outputs = planned.output_size_in_bytes - planned.alias_size_in_bytes
        needed = planned.temp_size_in_bytes + outputs + planned.generated_code_size_in_bytes
        return compiled, replace(estimate, training_step=needed)

    def run(self, step: Compiled) -> DryRun:
        """Measure what training does first: diagnostics, then a few iterations."""
        with suppress(ImportError):
            import_module("clu.metric_writers")  # TensorFlow, which a run's log imports too
        state = replicate(self._experiment.init_state(), self._devices)
        feed, indices = self._feed(), device_indices(self._devices)
        self._diagnostics()(local_copy(state))
        release_freed_memory()
        times: list[float] = []
        while len(times) < 2 or (len(times) < CALLS and sum(times) < BUDGET):
            images = next(feed)
            start = time.perf_counter()
            state, metrics = step(state, images, indices)
            jax.device_get(metrics)  # waits
            times.append(time.perf_counter() - start)
        peak = peak_on(self._devices[0])
        if peak is not None and self._on_cpu:
            peak += self._blank.size  # as they were read
        return DryRun(peak, statistics.median(times[1:]))

    @cached_property
    def _constants(self) -> tuple[Any, Any]:
        """Return the shapes of the step's images and device indices."""
        indices = jax.ShapeDtypeStruct((len(self._devices),), np.int32)
        if self._on_host:
            return jax.tree.map(jax.typeof, next(self._feed())), indices
        return jax.ShapeDtypeStruct((len(self._blank), self._blank[0].size), np.uint8), indices

    def _feed(self) -> Iterator[Any]:
        """Return the images of each call."""
        images = Images(self._blank, self._blank)
        key = self._experiment.keys.training
        return make_feed(self._experiment.config, key, images, self._devices, start=0)

    def _diagnostics(self) -> Diagnostics:
        shape = (self._experiment.config.diagnostic_images, *self._experiment.gan.image_shape)
        blank = Images(*(np.zeros(shape, np.uint8) for _ in Images._fields))
        sampler = self._experiment.sampler(self._devices[:1], batch_norm="running")
        return self._experiment.diagnostics(blank, sampler)

    def _memory(self, training_step: int, diagnostics: int) -> Memory:
        state, images = self._state, self._blank.size
        if self._on_host:  # batches of this call and of the next
            drawn, _ = self._constants
            images = 2 * _bytes(drawn) // len(self._devices)
        if self._on_cpu:
            images += self._blank.size
        networks = [state.generator.variables, state.critic.variables, state.ema]
        optimizers = [state.generator.optimizer, state.critic.optimizer]
        return Memory(
            networks=_bytes(networks),
            optimizers=_bytes(optimizers),
            images=images,
            training_step=training_step,
            diagnostics=diagnostics,
        )


def count_images(experiment: Experiment) -> int:
    """Return the number of training images; a data set that does not know it is loaded."""
    known: int | None = getattr(experiment.dataset, "num_train", None)
    return len(experiment.load_images().train) if known is None else known


def parts_of(experiment: Experiment, state: State, flops: Counter[str]) -> dict[str, Part]:
    """Split parameters, and FLOPs by scope, among the modules of both networks.

    Normalisation counts with the module that it follows; graph layers are split once more.
    """
    gan = experiment.gan
    parameters: Counter[str] = Counter()
    operations = Counter({OTHER: sum(flops.values())})
    for name, module, network in (
        ("generator", gan.generator, state.generator),
        ("critic", gan.critic, state.critic),
    ):
        leaves = flatten_dict(network.params)
        layered = {path[0] for path in leaves if len(path) > 2}
        for path, leaf in leaves.items():
            parameters[_label(name, path[:-1], layered)] += leaf.size
        for scope, count in flops.items():
            inside = modules(scope, type(module).__name__)
            if inside:
                operations[_label(name, inside, layered)] += count
                operations[OTHER] -= count
    names = sorted(parameters | operations, key=lambda name: (name.startswith("critic"), name))
    parts = {name: Part(parameters[name], operations[name]) for name in names}
    return {name: part for name, part in parts.items() if any(astuple(part))}


def modules(scope: str, network: str) -> tuple[str, ...]:
    """Return the modules of a network that a scope names, outermost first.

    Scopes as in `jvp(Generator)/block2_graph/graph/knn`; of methods, they name a module twice.
    """
    names = [name for name in re.sub(r"\w+\(|\)", "", scope).split("/") if "." not in name]
    return tuple(names[names.index(network) + 1 :]) if network in names else ()


def _label(network: str, path: tuple[str, ...], layered: set[str]) -> str:
    first, *inner = path
    shown = inner[:1] if first in layered else []
    return " ".join([network, first.removesuffix("_norm"), *shown])


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
