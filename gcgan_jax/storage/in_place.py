"""Whether a directory is still where it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcgan_jax.errors import UserError


class InPlace:
    """A workdir that may be moved or deleted while a run writes to it."""

    def __init__(self, workdir: Path) -> None:
        self._workdir, self._identity = workdir, _identity(workdir)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Wrap writing into the workdir.

        Raises:
            UserError: see `require`; also in place of an OSError within the context.
        """
        self.require()
        try:
            yield
        except OSError:
            self.require()
            raise

    def require(self) -> None:
        """Raise UserError if the workdir was moved or deleted, or another took its place."""
        if _identity(self._workdir) != self._identity:
            raise UserError(
                f"--workdir={self._workdir} was moved or deleted during the run: nothing more is "
                "written; to resume from its latest checkpoint, set --workdir to where it is now"
            )


def _identity(directory: Path) -> tuple[int, int] | None:
    """Return what identifies a directory on this machine; None if there is none."""
    try:
        found = directory.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
