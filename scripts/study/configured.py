"""Experiments from the settings of a job, in this process."""

import importlib
from collections.abc import Mapping
from typing import Any

from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import Experiment, make_experiment


def make(settings: Mapping[str, Any], seed: int) -> Experiment:
    """Build the experiment of a job's settings, as the program does from flags.

    Raises:
        UserError: the config is invalid.
    """
    fields = dict(settings)
    name, _, argument = fields.pop("config").partition(":")
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    config = module.get_config(argument) if argument else module.get_config()
    config.update_from_flattened_dict(
        {
            field: tuple(value) if isinstance(value, list) else value
            for field, value in fields.items()
        }
        | {"seed": seed}
    )
    return make_experiment(from_mapping(config.to_dict()))
