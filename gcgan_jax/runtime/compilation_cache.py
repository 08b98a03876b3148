"""JAX's persistent compilation cache."""

import warnings
from pathlib import Path

import jax


def enable_compilation_cache(directory: str | None, workdir: Path) -> None:
    """Make JAX cache compiled programs on disk.

    Args:
        directory: the cache directory; None: JAX's own setting or, without one, the workdir; "off":
            leave JAX's setting alone.
        workdir: the working directory of the run.
    """
    configured: str | None = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if directory != "off" and (directory or not configured):
        if not directory:  # other writes report a read-only workdir
            warnings.filterwarnings("ignore", "Error .* persistent compilation cache")
            directory = str((workdir / "compiled").absolute())
        jax.config.update("jax_compilation_cache_dir", directory)
