"""Random configs: each is accepted and builds, or is rejected with a one-line error."""

import dataclasses
import re
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gcgan_jax.config.choices import Choice
from gcgan_jax.config.fields import annotated_fields
from gcgan_jax.config.schema import Config, from_mapping, to_mapping
from gcgan_jax.data import DATASETS
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import PROTOCOLS
from gcgan_jax.experiment import make_experiment
from gcgan_jax.gan.losses import LOSSES
from gcgan_jax.graphs import GRAPHS
from gcgan_jax.layers.merge import MERGES
from gcgan_jax.models import BACKBONES
from gcgan_jax.operators import OPERATORS
from gcgan_jax.ranges import Each, Interval, OneOf
from tests.conftest import make_config

TINY = flatten_dict(to_mapping(make_config()))
TABLES = {"graph": GRAPHS, "operator": OPERATORS, "merge": MERGES, "loss": LOSSES, "data": DATASETS}

Fields = dict[tuple[str, ...], tuple[Any, Any]]


def annotations(kind: type = Config, path: tuple[str, ...] = ()) -> Fields:
    """Return the type and range of every field, including those of named components."""
    fields = {(*path, name): spec for name, spec in annotated_fields(kind).items()}
    for name, hint in get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            fields |= annotations(hint, (*path, name))
    if issubclass(kind, Choice):
        table = TABLES[path[-1]]
        fields[*path, "name"] = (str, OneOf(tuple(table)))
        for name, component in table.items():
            specs = annotated_fields(component or object)
            section = name.partition(":")[0]
            fields |= {(*path, section, field): spec for field, spec in specs.items()}
    return fields


FIELDS = annotations() | {
    ("backbone",): (str, OneOf(tuple(BACKBONES))),
    ("eval", "protocol"): (str, OneOf(tuple(PROTOCOLS))),
}
NAMES = {name for path in FIELDS for name in path}
NUMBERS = (
    st.integers(-3, 40)
    | st.sampled_from([2**16, 2**16 + 1, 2**31 - 1, 2**31, 2**63, -(2**63), 10**400])
    | st.floats()
)
ANYTHING = (
    NUMBERS
    | st.none()
    | st.booleans()
    | st.text(max_size=5)
    | st.sampled_from([name for _, allowed in FIELDS.values() if isinstance(allowed, OneOf)
                       for name in allowed.values])
    | st.lists(NUMBERS, max_size=4)
    | st.lists(st.integers(1, 5), max_size=4).map(tuple)
    | st.dictionaries(st.sampled_from(sorted(NAMES)), NUMBERS, max_size=2)
)  # fmt: skip


VALUES_BY_TYPE = {
    int: st.integers(-3, 40) | st.integers(),
    float: st.floats(-1, 2) | st.floats(),
    bool: st.booleans(),
    str: st.text(max_size=5),
    tuple[int, ...]: st.lists(st.integers(-1, 9), max_size=4).map(tuple),
    tuple[str, ...]: st.lists(st.text(max_size=5), max_size=1).map(tuple),
}


def not_none(kind: Any) -> Any:
    """Return the type of an optional field without None."""
    return get_args(kind)[0] if isinstance(kind, UnionType) else kind


def change(path: tuple[str, ...]) -> st.SearchStrategy:
    kind, allowed = FIELDS[path]
    typed = (
        st.sampled_from(allowed.values)
        if isinstance(allowed, OneOf)
        else VALUES_BY_TYPE[not_none(kind)]
    )
    anything = ANYTHING.filter(lambda _: True)  # keeps its alternatives from merging into the union
    return st.tuples(st.just(path), typed | typed | anything)


def misspell(name: str, index: int) -> str:
    index %= len(name)
    return name[:index] + name[index + 1 :]


FIELD = st.sampled_from(sorted(FIELDS))
CHANGES = st.lists(FIELD.flatmap(change), min_size=1, max_size=3).map(dict)
MISSPELLINGS = st.sampled_from([0, 0, 0, 1]).flatmap(
    lambda n: st.lists(st.tuples(FIELD, st.integers(0, 30)), min_size=n, max_size=n)
)


@settings(max_examples=500, deadline=None, database=None, derandomize=True)
@given(CHANGES, MISSPELLINGS)
def test_config_is_accepted_or_rejected_in_one_line(changes: dict, misspelt: list) -> None:
    values = TINY | changes
    for path, index in misspelt:
        values[*path[:-1], misspell(path[-1], index)] = values.pop(path)
    try:
        settings = flatten_dict(make_experiment(from_mapping(unflatten_dict(values))).settings)
    except UserError as error:
        message = str(error)
        assert "\n" not in message
        field = re.match(r"config\.([\w.]+)", message)
        assert (field and NAMES.intersection(field[1].split("."))) or misspelt
        return
    assert not misspelt
    for path, value in settings.items():
        kind, allowed = FIELDS[path]
        if value is None:
            assert not_none(kind) is not kind
            continue
        assert isinstance(value, tuple if get_origin(not_none(kind)) else kind)
        assert allowed.contains(value)


def likely(kind: Any, allowed: Any) -> st.SearchStrategy:
    """Generate values in a field's range that other fields are likely to fit; sizes stay small."""
    if kind is not not_none(kind):
        return st.none() | likely(not_none(kind), allowed)
    if isinstance(allowed, OneOf):
        return st.sampled_from(allowed.values)
    if isinstance(allowed, Each):
        small = st.integers(int(allowed.interval.low), 3)
        return st.lists(small, min_size=allowed.lengths[0], max_size=allowed.lengths[-1]).map(tuple)
    if isinstance(allowed, Interval) and kind is float:
        return st.floats(
            allowed.low, min(allowed.high, 10), exclude_min=allowed.open_low,
            exclude_max=allowed.open_high,
        )  # fmt: skip
    if isinstance(allowed, Interval):
        return st.integers(int(allowed.low), min(int(allowed.high), int(allowed.low) + 8))
    remaining = {bool: st.booleans(), tuple[str, ...]: st.just(())}
    return remaining.get(kind, st.just("newest"))


LIKELY = st.fixed_dictionaries({}, optional={
    path: likely(*spec)
    for path, spec in FIELDS.items()
    # With placement on the host, the step takes other images.
    if path not in {("data", "image_size"), ("data", "placement"), ("generator", "width")}
} | {
    ("data", "image_size"): st.sampled_from([16, 32]),
    ("generator", "width"): st.sampled_from([8, 24]),
})  # fmt: skip


def is_accepted(values: dict) -> bool:
    try:
        return bool(make_experiment(from_mapping(unflatten_dict(TINY | values))))
    except UserError:
        return False


@pytest.mark.slow
@settings(
    max_examples=50,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(LIKELY)
def test_accepted_config_builds_a_training_step(values: dict) -> None:
    assume(is_accepted(values))  # not a filter, in which beartype may not use `random`
    experiment = make_experiment(from_mapping(unflatten_dict(TINY | values)))
    state = experiment.state_shapes()
    pixels = int(np.prod(experiment.gan.image_shape))
    images = jax.ShapeDtypeStruct((100, pixels), jnp.uint8)
    step = experiment.train_step(jax.devices()[:1])
    after, metrics = jax.eval_shape(step, state, images, jnp.zeros(1, jnp.int32))
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), state
    )
    calls = experiment.config.iterations_per_call
    assert {leaf.shape for leaf in metrics.values()} == {(calls,)}
