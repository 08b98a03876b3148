"""Paths of files on this machine, as users write them in flags and config fields."""

import os
from pathlib import Path

from gcgan_jax.errors import UserError
from gcgan_jax.ranges import LocalPath, shown


def local_path(text: str, name: str) -> Path:
    """Return a path with `~` and `~user` replaced by home directories.

    Args:
        name: the flag or field that sets it, for the error message.

    Raises:
        UserError: it is no path on this machine, or there is no such home directory.
    """
    allowed = LocalPath()
    if not allowed.contains(text):
        raise UserError(f"{name} = {shown(text)}: {allowed.explain(text)}")
    expanded = os.path.expanduser(text)
    if text.startswith("~") and not os.path.isabs(expanded):
        raise UserError(
            f"{name} = {text!r}: there is no home directory {text.partition('/')[0]}; write the "
            "path without ~, or begin it with ./ if that is its name"
        )
    return Path(expanded)


def is_page(path: Path) -> bool:
    """Return whether a path names an HTML page to write, not a directory."""
    return path.suffix.lower() == ".html"
