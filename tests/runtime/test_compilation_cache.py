"""Directory of the compilation cache."""

from pathlib import Path

import jax
import pytest

from gcgan_jax.runtime.compilation_cache import enable_compilation_cache


@pytest.mark.parametrize(
    ("field", "configured", "expected"),
    [
        (None, None, "/run/compiled"),
        (None, "mine", "mine"),
        ("here", "mine", "here"),
        ("off", None, None),
    ],
)
def test_cache_directory(field: str | None, configured: str | None, expected: str | None) -> None:
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", configured)
        enable_compilation_cache(field, Path("/run"))
        assert jax.config.jax_compilation_cache_dir == expected
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
