"""The program: flags, and one call. `python -m gcgan_jax.main --config=configs/ecc.py`"""

import os
import re
import sys
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging
from ml_collections import config_flags

CONFIG = config_flags.DEFINE_config_file(
    "config", None, "Config file, with its argument after a colon: configs/ecc.py:16."
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Directory of all that the run writes. Default: runs/<config>."
)
COORDINATOR = flags.DEFINE_string(
    "coordinator", None, "HOST:PORT of the first of several processes that train together."
)
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "How many these are.", lower_bound=1)
PROCESS_ID = flags.DEFINE_integer("process_id", None, "Which this one is, from 0.", lower_bound=0)
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Several processes, as SLURM, Open MPI, Kubernetes or a TPU pod says."
)
CONNECT_TIMEOUT = flags.DEFINE_integer(
    "connect_timeout", 300, "Seconds to wait for all processes to be there.", lower_bound=1
)
MODE = flags.DEFINE_enum(
    "mode", "train", ["train", "evaluate"], "What to do: train, or score a run's checkpoint."
)
IMAGES = flags.DEFINE_string(
    "images", None, "Folder of PNGs that --mode=evaluate scores instead of a run's samples."
)


def parse_flags(argv: list[str]) -> list[str]:
    """The arguments that are no flags; a wrong flag or config ends the program with one line."""
    try:
        return flags.FLAGS(argv)
    except Exception as error:  # a config file is code: anything may come out of it
        told, _, traceback = str(error).partition("Traceback")
        if told.startswith("'"):  # a KeyError's text, quoted and escaped
            told = told.strip("'").replace("\\n", " ").replace("\\'", "'")
        fail(told + traceback.strip().rpartition("\n")[2])


def default_workdir() -> Path:
    """runs/ecc-16 for configs/ecc.py:16."""
    name, _, argument = config_flags.get_config_filename(flags.FLAGS["config"]).partition(":")
    return Path("runs", "-".join([Path(name).stem, *re.findall(r"\w+", argument)]))


def check_cluster_flags() -> None:
    """Ends the program with one line if they are half given, or given in both ways."""
    named = (COORDINATOR, NUM_PROCESSES, PROCESS_ID)
    missing = [f"--{flag.name}" for flag in named if flag.value is None]
    if DISTRIBUTED.value and len(missing) < len(named):
        fail("--distributed finds out --coordinator, --num_processes and --process_id: omit these")
    if 0 < len(missing) < len(named):
        fail(f"{' and '.join(missing)} missing: several processes need all three, or --distributed")
    if COORDINATOR.value is not None and not re.fullmatch(r".+:\d+", COORDINATOR.value):
        fail(f"--coordinator={COORDINATOR.value}: expected HOST:PORT")
    if not missing and PROCESS_ID.value >= NUM_PROCESSES.value:
        last = NUM_PROCESSES.value - 1
        fail(f"--process_id={PROCESS_ID.value}: with --num_processes={last + 1}, it is 0 to {last}")


def check_mode_flags() -> None:
    """Ends the program with one line if they do not go together."""
    if MODE.value == "evaluate" and (DISTRIBUTED.value or COORDINATOR.value):
        fail("--mode=evaluate runs in one process: omit --distributed and --coordinator")
    if IMAGES.value and MODE.value != "evaluate":
        fail(f"--images={IMAGES.value}: needs --mode=evaluate")


def tell(message: str) -> None:
    print(f"gcgan_jax: {' '.join(message.split())}", file=sys.stderr, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends the program with one line."""
    tell(message)
    sys.exit(code)


def fail_at_once(message: str, code: int = 1) -> NoReturn:
    """Likewise, from any thread and without waiting for anything."""
    tell(message)
    os._exit(code)


def main(argv: list[str]) -> None:
    if argv[1:]:
        fail(f"unknown argument {argv[1]!r}: fields are set with --config.FIELD=VALUE")
    logging.set_verbosity(logging.WARNING)  # Orbax has much to say
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # so has TensorFlow, which here only reads
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # images and writes events
    if CONFIG.value is None:
        fail("name a config file, for a start --config=configs/quickstart.py")
    check_cluster_flags()
    check_mode_flags()
    from gcgan_jax.config import from_mapping  # JAX, which --help and wrong flags do not wait for
    from gcgan_jax.errors import UserError
    from gcgan_jax.hosts import Cluster, connected
    from gcgan_jax.stopping import StoppedError, stoppable

    workdir = Path(WORKDIR.value) if WORKDIR.value else default_workdir()
    try:
        config = from_mapping(CONFIG.value.to_dict())
        cluster = None
        if DISTRIBUTED.value or COORDINATOR.value:
            cluster = Cluster(
                COORDINATOR.value, NUM_PROCESSES.value, PROCESS_ID.value, CONNECT_TIMEOUT.value
            )
        with stoppable(fail_at_once) as stop, connected(cluster, give_up=fail_at_once):
            # These import TensorFlow, which a wrong config does not wait for.
            from gcgan_jax.evaluate import evaluate
            from gcgan_jax.train import train

            if MODE.value == "evaluate":
                evaluate(config, workdir, Path(IMAGES.value) if IMAGES.value else None)
            else:
                train(config, workdir, stop)
    except StoppedError as error:
        fail(str(error), error.code)
    except (UserError, OSError) as error:
        fail(str(error))


if __name__ == "__main__":
    app.run(main, flags_parser=parse_flags)
