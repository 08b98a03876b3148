"""Test setup: eight virtual CPU devices, checked signatures, and fixtures."""

import atexit
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Programs that the tests start inherit what is ignored, which SIGINT is in a shell's background.
signal.signal(signal.SIGINT, signal.default_int_handler)

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["JAX_NUM_CPU_DEVICES"] = "8"
XLA_FLAGS = [  # compiling takes most of the tests' time
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
]
if version("jaxlib").startswith("0.10."):  # newer ones abort on it
    XLA_FLAGS.append("--xla_cpu_use_fusion_emitters=false")
os.environ["XLA_FLAGS"] = " ".join(XLA_FLAGS)
os.environ["PJRT_NPROC"] = "32"  # avoids deadlocks of queued steps with collectives

import jax
import pytest
from jaxtyping import install_import_hook

CHECKED = [
    f"gcgan_jax.{name}"
    for name in (
        "data.cells",
        "data.echo",
        "data.far_echo",
        "data.fitting",
        "data.image_folder",
        "data.mirror",
        "data.npz",
        "data.palette",
        "data.parity",
        "data.pixels",
        "data.procedural",
        "data.reading",
        "data.twins",
        "evaluation.far_nodes",
        "evaluation.headroom",
        "evaluation.layer_diagnostics",
        "evaluation.metrics",
        "evaluation.networks.classifier",
        "evaluation.networks.inception",
        "evaluation.probe",
        "evaluation.regression",
        "gan.batch",
        "gan.feed",
        "gan.instance_noise",
        "gan.interpolation",
        "gan.losses",
        "gan.networks",
        "gan.penalties",
        "gan.rng",
        "gan.sampler",
        "gan.step",
        "graphs.controls",
        "graphs.gather",
        "graphs.geometry",
        "graphs.kernel",
        "graphs.knn",
        "graphs.nearest",
        "graphs.neighbours",
        "graphs.soft_knn",
        "graphs.tiling",
        "graphs.top_k",
        "graphs.undirected",
        "layers.conv",
        "layers.graph_conv",
        "layers.linear",
        "layers.merge",
        "layers.normalisation",
        "layers.resampling",
        "layers.spectral_norm",
        "layers.statistics",
        "models.base",
        "models.dcgan",
        "models.gcgan",
        "models.resnet",
        "operators.aggregate",
        "operators.chebyshev",
        "operators.ecc",
        "operators.edge_attention",
        "operators.edge_conv",
        "operators.gcn",
        "operators.global_context",
        "operators.low_rank_ecc",
        "operators.low_rank_network",
        "operators.max_relative",
        "operators.self_attention",
        "report.paired",
        "report.thinning",
    )
]
# Strings are not checked, as functions reject unknown ones with their own errors.
install_import_hook(
    CHECKED,
    "beartype.beartype("
    "conf=beartype.BeartypeConf(hint_overrides=beartype.FrozenDict({str: object})))",
)

from configs import default
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.experiment import Experiment, make_experiment
from tests.program import ExperimentProgram

jax.devices()  # reads the flags, at which TensorFlow would fail
del os.environ["XLA_FLAGS"]

cache = tempfile.TemporaryDirectory()
atexit.register(cache.cleanup)
jax.config.update("jax_compilation_cache_dir", cache.name)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
jax.config.update("jax_numpy_rank_promotion", "raise")


# The slowest files run first, so that all workers finish at about the same time.
SLOWEST = ("golden", "step", "loop", "distributed", "preemption", "table_4_1", "precision")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    files = [f"test_{name}.py" for name in SLOWEST]
    items.sort(
        key=lambda item: files.index(item.path.name) if item.path.name in files else len(files)
    )


ALIASES = {
    "operator": "generator.graph_layer.operator.name",
    "k": "generator.graph_layer.graph.knn.k",
}


def make_config(**changes: Any) -> Config:
    """Make the config of a minimal GAN.

    Changes are named as config fields, with `__` for `.`, or as in ALIASES.
    """
    config = default.get_config()
    config.update_from_flattened_dict(
        {
            "batch_size": 4,
            "num_iterations": 4,
            "decay_iterations": 8,
            "n_critic": 2,
            "learning_rate": 1e-3,
            "data.name": "twins",
            "data.image_size": 16,
            "data.twins.num_train": 16,
            "data.twins.num_test": 8,
            "generator.latent_size": 5,
            "generator.width": 16,
            ALIASES["k"]: 3,
            "critic.widths": (4, 6, 8),
            "log_every": 2,
            "sample_every": 2,
            "checkpoint_every": 2,
            "sample_images": 4,
            "diagnostic_images": 4,
        }
        | {ALIASES.get(name, name.replace("__", ".")): value for name, value in changes.items()}
    )
    return from_mapping(config.to_dict())


def make(**changes: Any) -> Experiment:
    """Make the experiment of `make_config`."""
    return make_experiment(make_config(**changes))


Tiny = Callable[..., Experiment]


@pytest.fixture
def tiny() -> Tiny:
    return make


@pytest.fixture
def two_devices() -> list[jax.Device]:
    return jax.devices()[:2]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A compilation cache for all programs that the tests start."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def program(tmp_path: Path, compiled: Path) -> Iterator[ExperimentProgram]:
    """Runs the program in separate processes."""
    program = ExperimentProgram(tmp_path, compiled)
    yield program
    program.close()
