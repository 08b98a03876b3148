"""What a checkpoint says of itself, and whether its directory agrees."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import read_regular
from gcgan_jax.storage import checksums
from gcgan_jax.storage.atomic import write_text

FORMAT = 3  # version of the checkpoint contents, increased with every change
FILE = "checkpoint.json"  # in each checkpoint's directory
OLDER = {"checksums.json": 1, "format": 2}  # instead of it in older formats: file -> format


@dataclass(frozen=True)
class Identity:
    """What a checkpoint is; the content of its checkpoint.json.

    Attributes:
        iteration: also the name of its directory.
        run: digest of the config fields that may not change on resume.
    """

    iteration: int
    run: str
    format: int = FORMAT

    def write(self, step: Path) -> None:
        write_text(step / FILE, json.dumps(asdict(self), indent=2) + "\n")


def is_step(path: Path) -> bool:
    """Whether a directory is named as a checkpoint is: with an iteration, as Python prints it."""
    return path.name.isascii() and path.name.isdecimal() and path.name == str(int(path.name))


def is_like_step(path: Path) -> bool:
    """Whether a name could be taken for an iteration, such as 007."""
    return path.name.isdecimal()


def find_problem(step: Path, run: str) -> str | None:
    """Describe in a few words why a checkpoint cannot be used; None if it can.

    Raises:
        UserError: it is intact, but has another format, or belongs to a run of another config.
    """
    if step.is_symlink():
        return "it is a link"
    _reject_older_formats(step)
    problem = checksums.find_corruption(step)
    if problem:
        return problem
    identity = _read(step)
    if identity is None:
        return f"{FILE} cannot be read"
    if step.name != str(identity.iteration):
        return f"it is a copy of iteration {identity.iteration}"
    if identity.run != run:
        raise UserError(
            f"{step} belongs to a run with a different config, although it lies in this workdir: "
            "move it away, or use another --workdir"
        )
    return None


def _read(step: Path) -> Identity | None:
    """Read the identity; None if it is invalid.

    Raises:
        UserError: it has another format.
    """
    try:
        fields = json.loads(read_regular(step / FILE))
        format = int(fields["format"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    _require_format(step, format)
    try:
        return Identity(int(fields["iteration"]), str(fields["run"]))
    except (ValueError, KeyError, TypeError):
        return None


def _reject_older_formats(step: Path) -> None:
    for name, format in OLDER.items():
        if (step / name).exists():
            _require_format(step, format)


def _require_format(step: Path, actual: int) -> None:
    if actual != FORMAT:
        raise UserError(
            f"{step} has format {actual}, but this version reads format {FORMAT}: use the version "
            "of gcgan_jax that wrote it, or another --workdir"
        )
