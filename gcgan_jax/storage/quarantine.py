"""What is put in order before a run starts or resumes, while its workdir is locked."""

from itertools import count
from pathlib import Path

from gcgan_jax.errors import UserError
from gcgan_jax.runtime.console import report
from gcgan_jax.storage.atomic import remove
from gcgan_jax.storage.checkpoint_identity import find_problem, is_like_step

REMAINS = ("checkpoints/*", "best/*", "metrics.jsonl")
PART = ".part"  # ends the name of a checkpoint's directory that is incomplete


def quarantine_unusable(run: str, *directories: Path) -> None:
    """Move checkpoints that cannot be used to <directory>-damaged, and report each.

    Args:
        run: see `Identity`.
        directories: directories of checkpoints; all are checked before anything is moved.

    Raises:
        UserError: there are checkpoints in a directory, but none can be used; or one has another
            format or belongs to another run. Nothing is moved.
    """
    found = [_find_unusable(directory, run) for directory in directories]
    for path, problem in (item for unusable in found for item in unusable.items()):
        directory = path.parent
        quarantine = directory.with_name(f"{directory.name}-damaged")
        quarantine.mkdir(exist_ok=True)
        names = (quarantine / f"{path.name}-{number}" for number in count())
        path.rename(next(name for name in names if not name.is_symlink() and not name.exists()))
        report(
            f"checkpoint {path.name} in {directory} cannot be used: {problem}; moved to "
            f"{quarantine}"
        )


def _find_unusable(directory: Path, run: str) -> dict[Path, str]:
    """Return the checkpoints that cannot be used, and why; see `quarantine_unusable`."""
    steps = sorted(path for path in directory.glob("*") if is_like_step(path))
    checked = {path: find_problem(path, run) for path in steps}
    unusable = {path: problem for path, problem in checked.items() if problem}
    if steps and len(unusable) == len(steps):
        problems = "; ".join(f"{path.name}: {problem}" for path, problem in unusable.items())
        raise UserError(
            f"none of the checkpoints in {directory} can be used ({problems}): restore one from a "
            "backup, or start a new run in another --workdir"
        )
    return unusable


def require_no_remains(workdir: Path) -> None:
    """Require that a workdir without a config holds nothing else that a new run would replace.

    Raises:
        UserError: it holds checkpoints or metrics.
    """
    for name in REMAINS:
        if any(workdir.glob(name)):
            raise UserError(
                f"--workdir={workdir} holds {name.removesuffix('/*')} of a run, but not its "
                "config.json: restore that file, or use another --workdir"
            )


def remove_unfinished(directory: Path) -> None:
    """Remove what killed processes left of checkpoints that they were writing or deleting."""
    for path in directory.glob(f"*{PART}"):
        remove(path)
