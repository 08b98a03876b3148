"""The example in the docstring of every public layer, graph, operator, merge, loss and metric."""

import doctest
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gcgan_jax

# Tables, containers of arrays or of fields, errors, data sets, and what needs a trained run.
WITHOUT = {
    *("BACKBONES", "DATASETS", "GRAPHS", "LOSSES", "MERGES", "OPERATORS"),
    *("Config", "Experiment", "Gaussian", "FilterNetwork", "LowRankNetwork", "Projections"),
    *("Trained", "UserError", "from_mapping", "load_example", "load_generator", "make_experiment"),
    *("Twins", "make_images", "structure"),
}
NAMES = [name for name in gcgan_jax.__all__ if name not in WITHOUT]
IMPORTED = {"jax": jax, "jnp": jnp, "np": np, "partial": partial}


@pytest.mark.parametrize("name", NAMES)
def test_example(name: str) -> None:
    public = {name: getattr(gcgan_jax, name) for name in gcgan_jax.__all__}
    examples = doctest.DocTestParser().get_doctest(
        public[name].__doc__, IMPORTED | public, name, None, None
    )
    assert examples.examples and examples.examples[-1].want, "it shows no result"
    printed: list[str] = []
    doctest.DocTestRunner().run(examples, out=printed.append)
    assert not printed, "".join(printed)
