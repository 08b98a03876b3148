"""Image generators with graph convolutional layers, trained as Wasserstein GANs.

    python -m gcgan_jax.main --config=configs/ecc.py

trains and writes to runs/ecc. Rerun the same command to resume. Add --mode to do one of these; all
but check need the run's --config, and its --workdir if one was given:

    train        train a new run or resume it (the default)
    evaluate     score a checkpoint, or a folder of PNGs (--images)
    sample       write images as a grid, PNGs or one .npz
    interpolate  walk between latents: strips, animations, sums
    neighbours   draw which pixels the graph layers connect
    nearest      find the training images nearest to generated ones
    ablate       score a checkpoint under other graphs, and without either branch
    headroom     measure what a non-local layer could gain on a data set; needs no trained run
    probe        add the parts of the graph layer to a classifier one by one; needs no trained run
    plan         predict memory and time of training on this device; writes only to --out
    check        test the operators on this device; needs no --config

Flags after --config set its fields, such as --config.seed=1; configs/default.py documents them all.
Without a trained run, --config=configs/quickstart.py --config.checkpoint=example visualises a small
generator that comes with the package. --out=DIR writes images and scores there instead of the
workdir, which may then be read-only; --mode=neighbours --out=FILE.html writes a page to look around
in. python -m gcgan_jax.report compares runs.
"""

import os
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from absl import app, flags

from gcgan_jax import cli
from gcgan_jax.config.schema import Config, from_mapping
from gcgan_jax.errors import one_line
from gcgan_jax.paths import is_page
from gcgan_jax.runtime.deterministic import use_deterministic_kernels
from gcgan_jax.runtime.preemption import Stop, StoppedError, stoppable
from gcgan_jax.runtime.streams import make_unbreakable
from gcgan_jax.storage.workdir import require_output


def main(argv: list[str], alter: Callable[[Any], Any] | None = None) -> None:
    """Do what the command line asks for.

    Args:
        alter: function that changes the experiment before it runs; for fault-injection tests.
    """
    make_unbreakable()
    if argv[1:]:
        cli.fail(
            f"unknown argument {argv[1]!r}: set a mode with --mode=MODE, and fields with "
            "--config.FIELD=VALUE"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow only reads images and writes
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # events here, but logs a lot
    cli.check_cluster_flags()
    cli.check_mode_flags()
    written: dict[Path, str] = {}
    try:
        if cli.MODE.value == "check":
            check()
            return
        config = from_mapping(cli.read_config())
        written = cli.directories()
        with stoppable(cli.fail_now) as stop:
            run(config, stop, alter)
    except StoppedError as error:
        cli.fail(str(error), error.code)
    except Exception as error:
        if cli.VERBOSE_ERRORS.value:
            traceback.print_exc()
        cli.fail(one_line(error, written))


def check() -> None:
    from gcgan_jax.commands.check import check_device

    if not check_device():
        sys.exit(1)


def run(config: Config, stop: Stop, alter: Callable[[Any], Any] | None = None) -> None:
    """Run --mode on a config; for `alter`, see `main`."""
    workdir, out = cli.workdir(), cli.out()
    page = out is not None and is_page(out)
    if out:
        require_output(out.parent if page else out, workdir)
    # No folder of compiled programs appears beside a page, or of a plan that is only printed.
    alone = page or (cli.MODE.value == "plan" and not out)
    cache = config.compilation_cache or ("off" if alone else None)
    if config.deterministic:
        use_deterministic_kernels()
    # These import JAX, which takes seconds: an invalid config fails before.
    from gcgan_jax.experiment import make_experiment
    from gcgan_jax.runtime.compilation_cache import compilation_cache
    from gcgan_jax.runtime.distributed import Cluster, connected
    from gcgan_jax.runtime.shared_stop import shared

    experiment = make_experiment(config)
    if alter:
        experiment = alter(experiment)
    cluster = None
    if cli.DISTRIBUTED.value or cli.COORDINATOR.value:
        cluster = Cluster(*(flag.value for flag in cli.CLUSTER))
    with (
        connected(cluster, on_timeout=cli.fail_now),
        shared(stop),
        compilation_cache(cache, out or workdir),
    ):
        # Training imports TensorFlow, which takes seconds: a missing process fails before.
        if cli.MODE.value == "train":
            from gcgan_jax.training.loop import train

            train(experiment, workdir, stop)
            report_next_steps(config, workdir)
        elif cli.MODE.value == "evaluate":
            from gcgan_jax.commands.evaluate import evaluate

            evaluate(experiment, workdir, cli.images(), out=out)
        else:
            module = import_module(f"gcgan_jax.commands.{cli.MODE.value}")
            getattr(module, cli.MODE.value)(experiment, workdir, out=out)


def report_next_steps(config: Config, workdir: Path) -> None:
    """Print where a finished run's results are, and commands to continue with."""
    from gcgan_jax.experiment.networks import has_operator, uses_graph
    from gcgan_jax.runtime.console import report

    report(f"samples:     {workdir / 'samples' / f'{config.num_iterations:07}.png'}")
    report(f"checkpoints: {workdir / 'checkpoints'}")
    events = f", or: tensorboard --logdir={workdir}" if (workdir / "tensorboard").exists() else ""
    report(f"curves:      {workdir / 'metrics.jsonl'}{events}")
    report("next:")
    modes = ["evaluate", "sample", "interpolate", "nearest"]
    if uses_graph(config.generator.graph_layer):
        modes.append("neighbours")
    if has_operator(config.generator.graph_layer):
        modes.append("ablate")
    for mode in modes:
        report(f"  {cli.command(sys.argv[1:], mode)}")


flags.adopt_module_key_flags(cli)  # for --help

if __name__ == "__main__":
    app.run(main, flags_parser=cli.parse_flags)
