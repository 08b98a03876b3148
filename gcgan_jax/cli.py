"""The command line: its flags, and what is told of a wrong one. Neither needs JAX."""

import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from absl import flags, logging
from ml_collections import ConfigDict, config_flags

from gcgan_jax.config.compatibility import RENAMED

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
CLUSTER = (COORDINATOR, NUM_PROCESSES, PROCESS_ID, CONNECT_TIMEOUT)
MODE = flags.DEFINE_enum(
    "mode",
    "train",
    ["train", "evaluate", "sample", "interpolate", "neighbours", "nearest"],
    "What to do: train, score a run's checkpoint, or make pictures of it.",
)
IMAGES = flags.DEFINE_string(
    "images", None, "Folder of PNGs that --mode=evaluate scores instead of a run's samples."
)
VERBOSE_ERRORS = flags.DEFINE_bool(
    "verbose_errors", False, "Show where in the code an error was met, before its one line."
)


def parse_flags(argv: list[str]) -> list[str]:
    """The arguments that are no flags; a wrong flag or config ends the program with one line."""
    logging.set_verbosity(logging.ERROR)  # Orbax, among others, has much to say
    named = _config_file(argv)
    path = named.partition(":")[0]
    if path and not Path(path).is_file():
        fail(f"--config={named}: there is no file {path}")
    try:
        return flags.FLAGS(argv)
    except Exception as error:  # a config file is code: anything may come out of it
        if "--verbose_errors" in argv:  # the flags are not read
            traceback.print_exc()
        fail(_told(error, named, argv))


def _config_file(argv: list[str]) -> str:
    """What --config names; "" if nothing."""
    for argument, following in zip(argv, [*argv[1:], ""], strict=True):
        found = re.fullmatch("--?config(=(.*))?", argument)
        if found:
            return found[2] if found[1] else following
    return ""


def _told(error: Exception, named: str, argv: list[str]) -> str:
    """What was wrong with the flags, from what absl and ml_collections say of it."""
    told, _, where = str(error).partition("Traceback")
    if "in argv before" in told:
        return "--config=FILE must stand before the fields that override it"
    if isinstance(error, flags.Error):
        return told + where.strip().rpartition("\n")[2]
    unknown = re.match(r"\W*(\w*)", told)
    meant = re.search(r'mean "(\w+)"', told)
    for argument in argv:
        field = argument.partition("=")[0].lstrip("-")
        if unknown and field.startswith("config.") and unknown[1] in field.split(".")[1:]:
            new = _new_name(field.removeprefix("config."))
            if new:
                return f"--{field}: renamed, set --config.{new} instead"
            remedy = f"did you mean {meant[1]!r}?" if meant else "configs/default.py has all fields"
            return f"{field}: no such field; {remedy}"
    for old, new in RENAMED.items():
        if isinstance(error, AttributeError) and unknown and old.split(".")[-1] == unknown[1]:
            return f"config.{old}: renamed, set config.{new} instead"  # read by the config file
    return f"--config={named}: the file cannot be read ({type(error).__name__}: {told})"


def _new_name(field: str) -> str | None:
    """What took the place of a field of version 0.1, or of its section; None if nothing did."""
    for old, new in RENAMED.items():
        if field == old or field.startswith(f"{old}."):
            return new + field.removeprefix(old)
    return None


def read_config() -> dict[str, Any]:
    """The fields and values of --config; without any, the program ends with one line."""
    if CONFIG.value is None or not _config_file(sys.argv):
        fail(
            "name a config file whose get_config() gives fields, for a start "
            "--config=configs/quickstart.py"
        )
    if not isinstance(CONFIG.value, ConfigDict):
        told = type(CONFIG.value).__name__
        named = _config_file(sys.argv)
        fail(f"--config={named}: get_config() must return a ConfigDict, it gave {told}")
    return CONFIG.value.to_dict()


def workdir() -> Path:
    """--workdir; without it, runs/ecc-16 for configs/ecc.py:16."""
    if WORKDIR.value:
        return Path(WORKDIR.value)
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
    if MODE.value != "train" and (DISTRIBUTED.value or COORDINATOR.value):
        fail(f"--mode={MODE.value} runs in one process: omit --distributed and --coordinator")
    if IMAGES.value and MODE.value != "evaluate":
        fail(f"--images={IMAGES.value}: needs --mode=evaluate")


def tell(message: str) -> None:
    print(f"gcgan_jax: {' '.join(message.split())}", file=sys.stderr, flush=True)


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends the program with one line."""
    tell(message)
    sys.exit(code)


def fail_now(message: str, code: int = 1) -> NoReturn:
    """Likewise, from any thread and without waiting for anything."""
    tell(message)
    os._exit(code)
