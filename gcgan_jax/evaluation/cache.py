"""A directory of what can be downloaded or computed again, shared by runs and by users."""

import glob
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gcgan_jax.errors import UserError, why_unusable
from gcgan_jax.regular_files import open_regular
from gcgan_jax.runtime.console import report
from gcgan_jax.runtime.user_key import sign, user_key
from gcgan_jax.storage.atomic import PART, remove_abandoned, write_atomically
from gcgan_jax.storage.trees import from_bytes, to_bytes


class Cache:
    """Files in a directory that other programs may use, and other users, at the same time.

    If nothing can be stored, this is reported once, and everything is computed again.

    Args:
        directory: the directory, created if necessary; may start with "~".
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        with suppress(RuntimeError):  # no home directory
            self.directory = self.directory.expanduser()
        self._reported = False

    def load(self, name: str, limit: int) -> bytes | None:
        """Return the content of a file; None if it does not exist, or is longer than `limit`.

        Who wrote it is not known: the content must be verified.
        """
        try:
            with open_regular(self.directory / name) as file:
                content = file.read(limit + 1)
        except (OSError, UserError):
            return None
        return content if len(content) <= limit else None

    def store(self, name: str, content: bytes) -> None:
        """Write a file, replacing any previous one."""
        try:
            if str(self.directory).startswith("~"):
                raise UserError("the home directory is unknown")
            self.directory.mkdir(parents=True, exist_ok=True)
            for path in self.directory.glob(PART):
                remove_abandoned(path)
            write_atomically(self.directory / name, lambda file: file.write(content))
        except (OSError, UserError) as error:
            self._report_unused(error)

    def load_tree(self, name: str, limit: int) -> dict[str, Any] | None:
        """Return the arrays that this user stored under a name, if they are still intact.

        Args:
            limit: maximum length of the file.
        """
        try:
            key = user_key()
        except UserError:
            return None
        for file in self._names(name, key):
            content = self.load(file, limit)
            if content is not None and file == _file(name, key, content):
                return from_bytes(content)
        if self._names(name):
            report(f"{name} in {self.directory} is damaged or of another user: not used")
        return None

    def store_tree(self, name: str, tree: Mapping[str, Any]) -> None:
        """Write arrays under a name, replacing those that this user stored under it."""
        try:
            key = user_key()
        except UserError as error:
            self._report_unused(error)
            return
        content = to_bytes(tree)
        new = _file(name, key, content)
        self.store(new, content)
        for previous in self._names(name, key):
            if previous != new:
                with suppress(OSError):
                    (self.directory / previous).unlink()

    def _names(self, name: str, key: bytes | None = None) -> list[str]:
        """Return the files with a name, of the key's user or of all users."""
        pattern = f"{name}.*.safetensors" if key is None else _file(name, key)
        try:
            return sorted(glob.glob(pattern, root_dir=self.directory))
        except OSError:
            return []

    def _report_unused(self, error: Exception) -> None:
        if self._reported:
            return
        self._reported = True
        report(
            f"weights and features of real images cannot be cached in {self.directory} "
            f"({why_unusable(error)}): the next start obtains them again"
        )


def _file(name: str, key: bytes, content: bytes | None = None) -> str:
    """Return the name of a file; without content, the pattern of all files of the key's user."""
    user = sign(key, b"user")[:8]
    signature = "*" if content is None else sign(key, name.encode(), content)
    return f"{name}.{user}.{signature}.safetensors"
