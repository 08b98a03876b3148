"""Where compiled programs are kept."""

from pathlib import Path

import jax
import pytest

from gcgan_jax.runtime.compilation_cache import enable_compilation_cache


@pytest.mark.parametrize(
    ("field", "named", "place"),
    [
        (None, None, "/run/compiled"),
        (None, "mine", "mine"),
        ("here", "mine", "here"),
        ("off", None, None),
    ],
)
def test_place_of_compiled_programs(
    field: str | None, named: str | None, place: str | None
) -> None:
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", named)
        enable_compilation_cache(field, Path("/run"))
        assert jax.config.jax_compilation_cache_dir == place
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
