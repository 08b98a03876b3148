"""The program: `python -m gcgan_jax.main --config=configs/ecc.py`"""

import os
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from absl import app, flags

from gcgan_jax import cli
from gcgan_jax.cli import fail, fail_now
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.errors import one_line
from gcgan_jax.runtime.preemption import Stop, StoppedError, stoppable


def main(argv: list[str], alter: Callable[[Any], Any] | None = None) -> None:
    """Does what the command line says.

    Args:
        alter: changes the experiment before it runs; for tests that inject faults.
    """
    if argv[1:]:
        fail(f"unknown argument {argv[1]!r}: fields are set with --config.FIELD=VALUE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow, which here only reads images
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # and writes events, has much to say
    cli.check_cluster_flags()
    cli.check_mode_flags()
    values = cli.read_config()
    try:
        with stoppable(fail_now) as stop:
            run(from_mapping(values), stop, alter)
    except StoppedError as error:
        fail(str(error), error.code)
    except Exception as error:
        if cli.VERBOSE_ERRORS.value:
            traceback.print_exc()
        fail(one_line(error))


def run(config: Config, stop: Stop, alter: Callable[[Any], Any] | None = None) -> None:
    """Does what --mode says; `alter` as in `main`."""
    workdir = cli.workdir()
    # These import JAX, which a misspelt config does not wait for.
    from gcgan_jax.experiment import make_experiment
    from gcgan_jax.runtime.compilation_cache import enable_compilation_cache
    from gcgan_jax.runtime.distributed import Cluster, connected

    experiment = make_experiment(config)
    if alter:
        experiment = alter(experiment)
    cluster = None
    if cli.DISTRIBUTED.value or cli.COORDINATOR.value:
        cluster = Cluster(*(flag.value for flag in cli.CLUSTER))
    enable_compilation_cache(config.compilation_cache, workdir)
    with connected(cluster, on_timeout=fail_now):
        # These import TensorFlow, which a missing process does not wait for.
        if cli.MODE.value == "train":
            from gcgan_jax.training.loop import train

            train(experiment, workdir, stop)
        elif cli.MODE.value == "evaluate":
            from gcgan_jax.commands.evaluate import evaluate

            images = cli.IMAGES.value
            evaluate(experiment, workdir, Path(images) if images else None)
        else:
            mode = import_module(f"gcgan_jax.commands.{cli.MODE.value}")
            getattr(mode, cli.MODE.value)(experiment, workdir)


flags.adopt_module_key_flags(cli)  # --help shows them

if __name__ == "__main__":
    app.run(main, flags_parser=cli.parse_flags)
