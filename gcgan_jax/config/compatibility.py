"""Configs of other versions, and of the same run at another time."""

import json
from collections.abc import Mapping
from typing import Any

from gcgan_jax.errors import UserError

# Fields under the names that they had in version 0.1, and what took their place.
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

# Fields that may differ from the config that a run was started with, as may all of `eval` and
# `show`: they do not change what has been computed so far.
CHANGEABLE = (
    "num_iterations",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "compilation_cache",
    "profile",
    "eval_every",
    "data.dir",
    "checkpoint",
)


def require_compatible(settings: Mapping[str, Any], stored: Mapping[str, Any], place: str) -> None:
    """Raises UserError unless `stored`, at `place`, differs in changeable fields alone."""
    renamed = renamed_fields(stored)
    if renamed:
        raise UserError(
            f"{place} holds a run of gcgan_jax 0.1 ({renamed[0]} in its config): use that version, "
            "or another --workdir"
        )
    resolved = json.loads(json.dumps(settings))  # as it is read back from a file
    changed = [name for name in differences(resolved, stored) if not _is_changeable(name)]
    if changed:
        values = ", ".join(
            f"{name} ({_field(stored, name)!r} there, {_field(resolved, name)!r} now)"
            for name in changed
        )
        raise UserError(
            f"{place} holds a run with another config: {values}. "
            "Go on with its config, or use another --workdir"
        )


def renamed_fields(values: Mapping[str, Any]) -> list[str]:
    """Those of RENAMED that a (nested) mapping still has."""

    def has(values: Any, path: str) -> bool:
        first, _, rest = path.partition(".")
        if not isinstance(values, Mapping) or first not in values:
            return False
        return not rest or has(values[first], rest)

    return [name for name in RENAMED if has(values, name)]


def differences(ours: Mapping[str, Any], stored: Mapping[str, Any], path: str = "") -> list[str]:
    """The fields, as dotted paths, in which two nested mappings differ."""
    found = []
    for name in sorted(ours.keys() | stored.keys()):
        mine, theirs = ours.get(name), stored.get(name)
        if {type(mine), type(theirs)} <= {dict, type(None)}:  # a section, or one that is missing
            found += differences(mine or {}, theirs or {}, f"{path}{name}.")
        elif mine != theirs:
            found.append(f"{path}{name}")
    return found


def _is_changeable(name: str) -> bool:
    return name in CHANGEABLE or name.startswith(("eval.", "show."))


def _field(values: Any, name: str) -> Any:
    for part in name.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values
