"""Entries of metrics.jsonl."""

import errno
import json
import math
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.errors import disk_error
from gcgan_jax.storage.metrics_log import MetricsLog, read_entries
from tests.full_disk import full_disk

FOREIGN = (
    *('{"st', "{}", '{"step": "3"}', '{"step": true}', '{"step": 3.0}', '{"step": 0}'),
    *('{"step": 3, "wasserstein": "low"}', '{"step": 3, "wasserstein": 1e999}'),
    *('{"step": 3, "wasserstein": [1]}', '{"step": 3, "final": false}', '{"step": null}'),
    *(f'{{"step": 3, "wasserstein": {10**400}}}', '{"step": 1}'),
)


def steps(workdir: Path) -> list[int]:
    return [entry["step"] for entry in read_entries(workdir).rows]


def test_entries_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 5}\n{"step": 6}\n{"st')
    log = MetricsLog(tmp_path, 5)
    log.entry(10, {"wasserstein": 3.0})
    log.close()
    assert steps(tmp_path) == [1, 5, 10]


def test_lines_that_are_no_entries_are_moved(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text("\n".join(['{"step": 1, "wasserstein": -2.5}', *FOREIGN, '{"step": 5}']))
    for _ in range(2):
        MetricsLog(tmp_path, 5).close()
        assert path.read_text() == '{"step": 1, "wasserstein": -2.5}\n{"step": 5}\n'
        rejected = (tmp_path / "metrics.jsonl.rejected").read_text()
        assert rejected == "".join(f"{line}\n" for line in FOREIGN)


def test_entries_with_values_that_are_not_finite_can_be_read_again(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, 0)
    log.entry(1, {"wasserstein": 3.0, "graph/gamma": math.nan, "ratio": math.inf})
    log.close()
    (entry,) = read_entries(tmp_path).rows
    assert entry == {"step": 1, "wasserstein": 3.0, "graph/gamma": None, "ratio": None}
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == entry


def test_events_that_do_not_fit_are_reported_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = MetricsLog(tmp_path, 0)
    grid = np.zeros((64, 64, 3), np.uint8)
    with full_disk(), pytest.raises(Exception, match="File too large") as error:
        for iteration in range(100):  # the writer buffers some of them
            log.image(iteration, grid)
    assert disk_error(error.value) == errno.EFBIG
    assert not caplog.records
