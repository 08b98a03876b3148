"""Checks of a config against the stored config of a run, and field names of older versions."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gcgan_jax.errors import UserError

# Fields that have been renamed since version 0.1: old path -> new path.
RENAMED = {
    "penalty_weight": "loss.wgan_gp.penalty_weight",
    "generator.non_local": "generator.graph_layer.operator.name",
    "generator.k": "generator.graph_layer.graph.knn.k",
    "generator.edge_conv": "generator.graph_layer.operator.edge_conv",
    "generator.ecc": "generator.graph_layer.operator.ecc",
    "figure_images": "diagnostic_images",
    "show.averaged": "show.ema",
    "show.form": "show.format",
}

# Where the data are, which may differ between the processes of a run.
DATA_PATHS = ("data.dir", "data.npz.file")

# Ends of fields that were added since version 0.2, and the values that older runs imply.
ADDED = {
    "graph_layer.local": "conv",
    "graph_layer.coordinates": True,
    "graph.knn.metric": "euclidean",
    "graph.knn.exclude": 1,
    "graph.knn.dilation": 1,
    "graph.knn.position": 0.0,
    "graph.soft_knn.metric": "euclidean",
    "operator.ecc.delta_rule": "fixed",
    "merge.average.normalise": False,
    "generator.stem": "dense",
    "generator.noise.blocks": [],
    "critic.norm": "none",
    "critic.norm_momentum": 0.9,
    "critic.norm_epsilon": 1e-5,
    "instance_noise.sigma": 0.0,
    "instance_noise.decay_iterations": 100_000,
}

# Fields that may change when a run is resumed, like all of `eval`, `show` and `probe`: they do
# not affect what has been computed so far.
CHANGEABLE = (
    "num_iterations",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "checkpoints_to_keep",
    "compilation_cache",
    "deterministic",
    "profile",
    "eval_every",
    "checkpoint",
    "data.placement",
    "data.device_limit",
    *DATA_PATHS,
)


def require_compatible(
    settings: Mapping[str, Any],
    stored: Mapping[str, Any],
    location: str,
    remedy: str = "use that config, or another --workdir",
) -> None:
    """Raise UserError unless `settings` and `stored` differ only in fields changeable on resume.

    Args:
        settings: the current config, as a nested mapping.
        stored: the config that the run was started with.
        location: where that run is, for the error message.
        remedy: what to do if the configs differ, for the error message.
    """
    renamed = renamed_fields(stored)
    if renamed:
        raise UserError(
            f"{location} holds a run of gcgan_jax 0.1 (its config sets {renamed[0]}): use that "
            "version, or another --workdir"
        )
    current = json.loads(json.dumps(settings))  # with lists for tuples, as in `stored`
    changed = [
        name
        for name in differences(current, stored)
        if not _is_changeable(name)
        and not (_get(stored, name) is None and _is_implied(name, current))
    ]
    if changed:
        values = ", ".join(
            f"{name} ({_get(stored, name)!r} stored, {_get(current, name)!r} given)"
            for name in changed
        )
        raise UserError(f"{location} holds a run with a different config: {values}; {remedy}")


def digest(settings: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the fields, other than None, that may not change on resume."""
    values = json.loads(json.dumps(settings))
    names = [
        name
        for name in differences(values, {})
        if not _is_changeable(name) and not _is_implied(name, values)
    ]
    binding = {name: _get(values, name) for name in names}
    return hashlib.sha256(json.dumps(binding, sort_keys=True).encode()).hexdigest()


def renamed_fields(values: Mapping[str, Any]) -> list[str]:
    """Return the old names in RENAMED that a nested mapping still uses."""

    def has(values: Any, path: str) -> bool:
        first, _, rest = path.partition(".")
        if not isinstance(values, Mapping) or first not in values:
            return False
        return not rest or has(values[first], rest)

    return [name for name in RENAMED if has(values, name)]


def differences(current: Mapping[str, Any], stored: Mapping[str, Any], path: str = "") -> list[str]:
    """Return the dotted paths of the fields in which two nested mappings differ."""
    paths = []
    for name in sorted(current.keys() | stored.keys()):
        new, old = current.get(name), stored.get(name)
        if {type(new), type(old)} <= {dict, type(None)}:  # a section, possibly missing in one
            paths += differences(new or {}, old or {}, f"{path}{name}.")
        elif new != old:
            paths.append(f"{path}{name}")
    return paths


def _is_changeable(name: str) -> bool:
    is_selection = ".graph_layer.graph." in name and name.endswith(".selection")
    return name in CHANGEABLE or is_selection or name.startswith(("eval.", "show.", "probe."))


def _is_implied(name: str, values: Mapping[str, Any]) -> bool:
    """Whether a field has the value that runs without the field imply."""
    return any(
        name.endswith(suffix) and _get(values, name) == value for suffix, value in ADDED.items()
    )


def _get(values: Any, path: str) -> Any:
    for name in path.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values
