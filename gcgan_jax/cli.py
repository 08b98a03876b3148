"""The flags of the command line, and one-line errors for invalid ones; does not import JAX."""

import os
import re
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import flags, logging
from ml_collections import config_flags

from gcgan_jax.config.compatibility import RENAMED
from gcgan_jax.errors import UserError
from gcgan_jax.paths import is_page, local_path
from gcgan_jax.ranges import whole_number
from gcgan_jax.runtime.live_line import print_above

MODES = (
    *("train", "evaluate", "sample", "interpolate", "neighbours", "nearest", "ablate", "headroom"),
    *("probe", "plan", "check"),
)


class WholeNumber(flags.IntegerParser):
    """Accepts numbers in plain digits alone, not `1_6` or digits of other scripts."""

    def convert(self, argument: int | str) -> int:
        return argument if isinstance(argument, int) else whole_number(argument)


def _define_number(
    name: str, default: int | None, description: str, lowest: int
) -> flags.FlagHolder[int]:
    parser = WholeNumber(lower_bound=lowest)
    return flags.DEFINE(parser, name, default, description, serializer=flags.ArgumentSerializer())


CONFIG = config_flags.DEFINE_config_file(
    "config", None, "Config file, optionally with an argument: configs/ecc.py or configs/ecc.py:16."
)
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Directory for everything that the run writes. Default: runs/<config>."
)
COORDINATOR = flags.DEFINE_string(
    "coordinator", None, "HOST:PORT of process 0, for training with several processes."
)
NUM_PROCESSES = _define_number("num_processes", None, "Number of processes that train together.", 1)
PROCESS_ID = _define_number("process_id", None, "Index of this process, from 0.", 0)
DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "Detect the processes from SLURM, Open MPI, Kubernetes or a TPU pod."
)
CONNECT_TIMEOUT = _define_number(
    "connect_timeout", 300, "Seconds to wait until all processes have connected.", 1
)
CLUSTER = (COORDINATOR, NUM_PROCESSES, PROCESS_ID, CONNECT_TIMEOUT)
MODE = flags.DEFINE_enum("mode", "train", MODES, "What to do; the modes are listed above.")
IMAGES = flags.DEFINE_string(
    "images", None, "Folder of PNGs for --mode=evaluate to score instead of a checkpoint."
)
OUT = flags.DEFINE_string(
    "out",
    None,
    "Directory, or page for --mode=neighbours, to write to, not the untouched --workdir.",
)
VERBOSE_ERRORS = flags.DEFINE_bool(
    "verbose_errors", False, "Print the traceback of an error before its one-line message."
)


def parse_flags(argv: list[str]) -> list[str]:
    """Parse the flags and return other arguments; exit with one line if a flag is invalid."""
    logging.set_verbosity(logging.ERROR)  # some libraries log a lot, Orbax among them
    config = _config_argument(argv)
    if config:
        argv = _with_home(argv, config)
    try:
        return flags.FLAGS(argv)
    except BaseException as error:  # a config file is code and can raise anything
        if not isinstance(error, Exception) and not _reading_config(error):
            raise  # such as by --help
        if "--verbose_errors" in argv:  # flags are not parsed yet
            traceback.print_exc()
        fail(_describe(error, config, argv))


def _config_argument(argv: list[str]) -> str:
    """Return the value of --config; "" if it is missing."""
    for argument, following in zip(argv, [*argv[1:], ""], strict=True):
        match = re.fullmatch("--?config(=(.*))?", argument)
        if match:
            return match[2] if match[1] else following
    return ""


def _with_home(argv: list[str], config: str) -> list[str]:
    """Replace ~ in --config; exit with one line if there is no such file."""
    path, colon, argument = config.partition(":")
    try:
        file = local_path(config if argument.startswith("//") else path, "--config")
    except UserError as error:
        fail(str(error))
    if not file.is_file():
        fail(f"--config={config}: there is no file {path}")
    given = (config, f"--config={config}", f"-config={config}")
    expanded = f"{file}{colon}{argument}"
    return [word.removesuffix(config) + expanded if word in given else word for word in argv]


def _reading_config(error: BaseException) -> bool:
    """Whether an error was raised while ml_collections ran a config file."""
    modules = (frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(name.startswith("ml_collections.") for name in modules)


def _describe(error: BaseException, config: str, argv: list[str]) -> str:
    """Describe an error that absl or ml_collections raised while parsing flags, in one line."""
    message, _, location = str(error).partition("Traceback")
    if "in argv before" in message:
        return "--config=FILE must come before the fields that override it"
    if isinstance(error, flags.Error):
        return message + location.strip().rpartition("\n")[2]
    if message.startswith("FrozenConfigDict is immutable"):
        return f"--config={config}: get_config() must return a ConfigDict, not a FrozenConfigDict"
    unknown = re.match(r"\W*(\w*)", message)
    suggestion = re.search(r'mean "(\w+)"', message)
    for argument in argv:
        field = argument.partition("=")[0].lstrip("-")
        if unknown and field.startswith("config.") and unknown[1] in field.split(".")[1:]:
            new = _new_name(field.removeprefix("config."))
            if new:
                return f"--{field}: renamed, set --config.{new} instead"
            remedy = f"did you mean {suggestion[1]!r}?" if suggestion else _ALL_FIELDS
            return f"{field}: no such field; {remedy}"
    for old, new in RENAMED.items():
        if isinstance(error, AttributeError) and unknown and old.split(".")[-1] == unknown[1]:
            return f"config.{old}: renamed, set config.{new} instead"  # read by the config file
    return f"--config={config}: the file cannot be read ({type(error).__name__}: {message})"


_ALL_FIELDS = "configs/default.py lists all fields"


def _new_name(field: str) -> str | None:
    """Return the current name of a field of version 0.1; None if it was not renamed."""
    for old, new in RENAMED.items():
        if field == old or field.startswith(f"{old}."):
            return new + field.removeprefix(old)
    return None


def read_config() -> dict[str, Any]:
    """Return the fields of --config as a nested dict; exit with one line if there are none."""
    config = _config_argument(sys.argv)
    if not config:
        fail("--config is missing: name a config file, for example --config=configs/quickstart.py")
    try:
        if not hasattr(CONFIG.value, "to_dict"):
            kind = type(CONFIG.value).__name__
            fail(f"--config={config}: get_config() must return a ConfigDict, but returned {kind}")
        fields: dict[str, Any] = CONFIG.value.to_dict()  # computes its references
    except Exception as error:  # an OSError if the file raised one
        fail(f"--config={config}: the fields cannot be read ({type(error).__name__}: {error})")
    return fields


def workdir() -> Path:
    """Return --workdir; without it, runs/<config>, such as runs/ecc-16 for configs/ecc.py:16."""
    if WORKDIR.value is not None:
        return local_path(WORKDIR.value, "--workdir")
    name, _, argument = config_flags.get_config_filename(flags.FLAGS["config"]).partition(":")
    default = Path("runs", "-".join([Path(name).stem, *re.findall(r"\w+", argument)]))
    return local_path(str(default), "--workdir")


def out() -> Path | None:
    return None if OUT.value is None else local_path(OUT.value, "--out")


def images() -> Path | None:
    return None if IMAGES.value is None else local_path(IMAGES.value, "--images")


def directories() -> dict[Path, str]:
    """Return the directories that this mode writes to, and the flags that choose others."""
    if MODE.value == "train":
        return {workdir(): "--workdir"}
    return {out() or workdir(): "--out"}


def command(arguments: Sequence[str], mode: str) -> str:
    """Return the one-process command that applies a mode to the run started with `arguments`."""
    dropped = ("mode", "distributed", *(flag.name for flag in CLUSTER))
    kept, remaining = [], iter(arguments)
    for argument in remaining:
        name, assigned, _ = argument.lstrip("-").partition("=")
        if name not in dropped:
            kept.append(argument)
        elif not assigned and name != "distributed":
            next(remaining, None)  # its value is the next argument
    return shlex.join(["python", "-m", "gcgan_jax.main", *kept, f"--mode={mode}"])


def check_cluster_flags() -> None:
    """Exit with one line if the flags for several processes are incomplete or contradictory."""
    required = (COORDINATOR, NUM_PROCESSES, PROCESS_ID)
    missing = [f"--{flag.name}" for flag in required if flag.value is None]
    if DISTRIBUTED.value and len(missing) < len(required):
        fail(
            "--distributed detects --coordinator, --num_processes and --process_id: leave these out"
        )
    if 0 < len(missing) < len(required):
        fail(
            f"{' and '.join(missing)} missing: set --coordinator, --num_processes and "
            "--process_id in every process, or use --distributed"
        )
    if COORDINATOR.value is not None and not re.fullmatch(".+:[0-9]+", COORDINATOR.value):
        fail(f"--coordinator={COORDINATOR.value}: expected HOST:PORT")
    if not missing and PROCESS_ID.value >= NUM_PROCESSES.value:
        last = NUM_PROCESSES.value - 1
        fail(
            f"--process_id={PROCESS_ID.value}: with --num_processes={last + 1}, choose 0 to {last}"
        )


def check_mode_flags() -> None:
    """Exit with one line if --mode contradicts another flag."""
    if MODE.value != "train" and (DISTRIBUTED.value or COORDINATOR.value):
        fail(f"--mode={MODE.value} runs in one process: leave out --distributed and --coordinator")
    if IMAGES.value is not None and MODE.value != "evaluate":
        fail(f"--images={IMAGES.value}: needs --mode=evaluate")
    if OUT.value is not None and MODE.value in ("train", "check"):
        writing = ", ".join(mode for mode in MODES if mode not in ("train", "check"))
        fail(f"--out={OUT.value}: needs a --mode that writes images or scores: {writing}")
    if OUT.value is not None and is_page(Path(OUT.value)) and MODE.value != "neighbours":
        fail(f"--out={OUT.value}: only --mode=neighbours writes a page: name a directory")


def print_error(message: str) -> None:
    print_above(f"gcgan_jax: {' '.join(message.split())}", sys.stderr)


def fail(message: str, code: int = 1) -> NoReturn:
    """End the program with a one-line message."""
    print_error(message)
    sys.exit(code)


def fail_now(message: str, code: int = 1) -> NoReturn:
    """End the program with a one-line message, from any thread and without waiting."""
    print_error(message)
    os._exit(code)
