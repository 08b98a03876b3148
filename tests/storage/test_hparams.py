"""TensorBoard's HParams page over the runs of a table, read as TensorBoard itself reads it."""

from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.storage.metrics_log import MetricsLog

pytest.importorskip("tensorflow", reason="events need TensorFlow")

from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups


def store(workdir: Path, **fields: Any) -> None:
    workdir.mkdir(parents=True)
    log = MetricsLog(workdir, 0)
    log.hyperparameters(fields)
    for step in (1, 2):
        log.entry(step, {"wasserstein": step * (1.0 + fields["seed"])})
    log.close()


def test_numbers_can_be_sorted_and_runs_compared(tmp_path: Path) -> None:
    for operator in ("ecc", "none"):
        for seed in (0, 1):
            fields = {"operator": operator, "seed": seed, "rate": 1e-3, "widths": (4, 6)}
            store(tmp_path / operator / f"seed-{seed}", **fields, ema=None, flag=True)
    events = EventMultiplexer()
    events.AddRunsFromDirectory(str(tmp_path))
    events.Reload()
    provider = MultiplexerDataProvider(events, str(tmp_path))
    backend = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = context.RequestContext()
    found = backend.hparams_from_data_provider(request, "", limit=100)
    metadata = backend.hparams_metadata(request, "")
    experiment = backend.experiment_from_metadata(request, "", True, metadata, found)
    kinds = {info.name: api_pb2.DataType.Name(info.type) for info in experiment.hparam_infos}
    text, number = "DATA_TYPE_STRING", "DATA_TYPE_FLOAT64"
    assert kinds == {
        **dict.fromkeys(("operator", "widths", "ema"), text),
        **dict.fromkeys(("seed", "rate"), number),
        "flag": "DATA_TYPE_BOOL",
    }
    assert {i.name for i in experiment.hparam_infos if i.differs} == {"operator", "seed"}
    listing = api_pb2.ListSessionGroupsRequest(
        slice_size=10, allowed_statuses=[api_pb2.STATUS_UNKNOWN, api_pb2.STATUS_RUNNING]
    )
    groups = list_session_groups.Handler(request, backend, "", listing).run().session_groups
    rows = {
        (group.hparams["operator"].string_value, group.hparams["seed"].number_value): value.value
        for group in groups
        for value in group.metric_values
    }
    expected = {(name, seed): 2 * (1 + seed) for name in ("ecc", "none") for seed in (0.0, 1.0)}
    assert rows == expected
