"""The loop: what it writes, how it resumes, where it stops."""

import errno
import io
import json
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from gcgan_jax import train as loop
from gcgan_jax import train_step
from gcgan_jax.config import Config
from gcgan_jax.errors import UserError
from gcgan_jax.state import State
from gcgan_jax.train import train
from gcgan_jax.train_step import Metrics
from scripts import injected
from tests.full_disk import full_disk


@pytest.fixture(autouse=True)
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "all_devices", lambda: jax.devices()[:2])


def rows(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def assert_same(a: object, b: object) -> None:
    for mine, theirs in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_stopped_and_resumed_is_the_same_bit_for_bit(
    tiny: Callable[..., Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecc = partial(tiny, generator__non_local="ecc", iterations_per_call=2, log_every=4)
    whole = train(ecc(num_iterations=6), tmp_path / "whole")
    train(ecc(num_iterations=2), tmp_path / "parts")
    with (tmp_path / "parts" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lost": 1}\n{"step": 4, "cut o')
    capsys.readouterr()
    resumed = train(ecc(num_iterations=6), tmp_path / "parts")
    assert "resuming at iteration 2 of 6" in capsys.readouterr().out
    assert_same(whole, resumed)

    written, in_parts = rows(tmp_path / "whole"), rows(tmp_path / "parts")
    assert [row["step"] for row in written] == [1, 4, 6]
    assert [row["step"] for row in in_parts] == [1, 2, 4, 6]
    rates = np.array([row["learning_rate"] for row in written])
    np.testing.assert_allclose(rates, 1e-3 * np.array([8, 5, 3]) / 8, rtol=1e-5)
    for row in written[-1], in_parts[-1]:
        assert row.pop("iterations_per_second") > 0
    assert written[-1] == in_parts[-1]
    for row in written:
        assert row.keys() >= {
            "critic_gradients", "generator_gradients",
            "critic_loss", "wasserstein", "gradient_penalty", "gradient_norm", "generator_loss",
            "learning_rate", "critic/train", "critic/test",
            "graph/block2_graph/gamma", "graph/block2_graph/edges_at_distance_2",
            "graph/block2_graph/non_local_over_local", "twins/diagonal_correlation",
        }  # fmt: skip
        assert np.isfinite(list(row.values())).all()
    assert {path.name for path in (tmp_path / "whole").iterdir()} == {
        "checkpoints", "config.json", "lock", "metrics.jsonl", "samples", "tensorboard"
    }  # fmt: skip
    with Image.open(tmp_path / "whole" / "samples" / "0000006.png") as grid:
        assert grid.size == (34, 34)
    assert list((tmp_path / "whole" / "tensorboard").glob("events.out.tfevents.*"))


@pytest.mark.parametrize(
    ("poison", "told"),
    [
        (lambda state, metrics: (state, metrics | {"critic_loss": jnp.full(1, jnp.nan)}),
         "iteration 4: critic_loss is nan"),
        (lambda state, metrics: (state._replace(batch_stats=jnp.array(jnp.inf)), metrics),
         "iteration 4: state.batch_stats is not finite"),
    ],
)  # fmt: skip
def test_not_finite_stops_with_the_iteration_and_keeps_the_checkpoint(
    tiny: Callable[..., Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    poison: Callable,
    told: str,
) -> None:
    compiled = loop._compile

    def poisoned(*args: Any) -> Callable:
        step = compiled(*args)

        def poisoned_step(state: State) -> tuple[State, Metrics]:
            state, metrics = step(state)
            return poison(state, metrics) if state.iteration == 4 else (state, metrics)

        return poisoned_step

    monkeypatch.setattr(loop, "_compile", poisoned)
    config = tiny(num_iterations=6, log_every=6, sample_every=6)
    for _ in range(2):
        with pytest.raises(UserError, match=f"{told}; the checkpoint of iteration 2 remains"):
            train(config, tmp_path)
        assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["2"]
    before = f"the run before stopped in {told}"
    assert before in capsys.readouterr().out
    monkeypatch.setattr(loop, "_compile", compiled)
    for expected in (True, False):  # told until a checkpoint is beyond it
        train(config, tmp_path)
        assert (before in capsys.readouterr().out) == expected


def test_the_first_number_that_is_not_finite_is_told() -> None:
    metrics = {"early": np.array([1.0, 2.0, np.nan]), "late": np.array([1.0, np.inf, np.nan])}
    with pytest.raises(UserError, match="iteration 12: late is inf; no checkpoint was written"):
        loop._require_finite_metrics(metrics, before=10, kept=0)


@pytest.mark.parametrize(
    ("fault", "told"),
    [("nan", "critic_gradients is nan"), ("inf", "generator_gradients is inf")],
)
def test_gradients_that_are_not_finite(
    fault: str,
    told: str,
    tiny: Callable[..., Config],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("train_iteration", "critic_loss", "generator_loss"):
        monkeypatch.setattr(train_step, name, getattr(train_step, name))  # to be put back
    injected.FAULTS[fault](3)
    with pytest.raises(UserError, match=f"iteration 3: {told}; the checkpoint of iteration 2"):
        train(tiny(), tmp_path)


class FullOnceCompiled(io.StringIO):
    """Standard output; once it says that the step is compiled, the disk is full."""

    def __init__(self, opened: ExitStack) -> None:
        super().__init__()
        self._opened = opened

    def write(self, text: str) -> int:
        if text.startswith("compiled in"):
            self._opened.enter_context(full_disk())
        return super().write(text)


def test_a_full_disk_loses_nothing(tiny: Callable[..., Config], tmp_path: Path) -> None:
    run = tmp_path / "run"
    whole = train(tiny(num_iterations=6), tmp_path / "whole")
    train(tiny(num_iterations=2), run)
    every = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 10**6)
    for first, file in (
        ("log_every", "metrics.jsonl"),
        ("sample_every", "samples/0000004.png"),
        ("checkpoint_every", "checkpoints/4"),
    ):
        config = tiny(num_iterations=6, **every | {first: 4})
        with (
            ExitStack() as opened,
            redirect_stdout(FullOnceCompiled(opened)),
            pytest.raises(OSError, match=str(run / file)) as error,
        ):
            train(config, run)
        assert error.value.errno == errno.EFBIG
        finished = (run / "checkpoints").glob("*/SHA256SUMS")
        assert [path.parent.name for path in finished] == ["2"]
    assert_same(whole, train(tiny(num_iterations=6), run))
    assert [row["step"] for row in rows(run)] == [1, 2, 4, 6]


def test_another_config_is_refused_but_for_free_fields(
    tiny: Callable[..., Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(tiny(num_iterations=2), tmp_path)
    with pytest.raises(UserError, match=r"batch_size \(4 there, 2 now\), generator.k \(3 there"):
        train(tiny(batch_size=2, generator__k=4), tmp_path)
    train(tiny(num_iterations=2, log_every=1, sample_every=1, checkpoint_every=1), tmp_path)
    assert "all 2 iterations are done" in capsys.readouterr().out


def test_a_batch_larger_than_the_data_is_refused(
    tiny: Callable[..., Config], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"batch_size = 32 is larger than the 16 training images"):
        train(tiny(batch_size=32), tmp_path / "none")
    assert not (tmp_path / "none").exists()
