"""Compiled programs, kept for the next start."""

import warnings
from pathlib import Path

import jax


def enable_compilation_cache(place: str | None, workdir: Path) -> None:
    """Has JAX keep what it compiles, unless the user has named it a place for that already.

    Args:
        place: a directory; None: in the workdir; "off": nowhere.
    """
    named: str | None = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if place != "off" and (place or not named):
        if not place:  # a workdir that cannot be written is told of by what must write there
            warnings.filterwarnings("ignore", "Error .* persistent compilation cache")
            place = str((workdir / "compiled").absolute())
        jax.config.update("jax_compilation_cache_dir", place)
