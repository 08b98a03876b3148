"""The training loop: its output, resuming, and errors."""

import errno
import io
import json
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from PIL import Image

from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.training.finite import require_finite_metrics
from gcgan_jax.training.loop import train
from tests.conftest import Tiny
from tests.full_disk import full_disk
from tests.helpers import assert_same
from tests.reliability import injected

on_two = partial(train, devices=jax.devices()[:2])


def log_entries(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_resume_is_bit_for_bit(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecc = partial(tiny, operator="ecc", iterations_per_call=2, log_every=4)
    uninterrupted = on_two(ecc(num_iterations=6), tmp_path / "uninterrupted")
    on_two(ecc(num_iterations=2), tmp_path / "resumed")
    with (tmp_path / "resumed" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lost": 1}\n{"step": 4, "cut o')
    (tmp_path / "resumed" / ".config.json.0123.gcgan.part").write_text("of a killed writer")
    capsys.readouterr()
    resumed = on_two(ecc(num_iterations=6), tmp_path / "resumed")
    assert "resuming at iteration 2 of 6" in capsys.readouterr().out
    assert not list((tmp_path / "resumed").glob(".*"))
    assert_same(uninterrupted, resumed)

    expected, actual = log_entries(tmp_path / "uninterrupted"), log_entries(tmp_path / "resumed")
    assert [entry["step"] for entry in expected] == [1, 4, 6]
    assert [entry["step"] for entry in actual] == [1, 2, 4, 6]
    rates = np.array([entry["learning_rate"] for entry in expected])
    np.testing.assert_allclose(rates, 1e-3 * np.array([8, 5, 3]) / 8, rtol=1e-5)
    for entry in expected[-1], actual[-1]:
        assert entry.pop("iterations_per_second") > 0
        assert 0.01 < entry.pop("peak_memory_gib") < 1000
    assert expected[-1] == actual[-1]
    for entry in expected:
        assert entry.keys() >= {
            "critic_gradients", "generator_gradients",
            "critic_loss", "wasserstein", "gradient_penalty", "gradient_norm", "generator_loss",
            "learning_rate", "critic/train", "critic/test",
            "graph/block2_graph/gamma", "graph/block2_graph/edges_at_distance_2",
            "graph/block2_graph/non_local_over_local", "twins/diagonal_correlation",
        }  # fmt: skip
        assert np.isfinite(list(entry.values())).all()
    assert {path.name for path in (tmp_path / "uninterrupted").iterdir()} == {
        "checkpoints", "config.json", "lock", "metrics.jsonl", "samples", "tensorboard"
    }  # fmt: skip
    with Image.open(tmp_path / "uninterrupted" / "samples" / "0000006.png") as grid:
        assert grid.size == (34, 34)
    assert list((tmp_path / "uninterrupted" / "tensorboard").glob("events.out.tfevents.*"))


def infinite_updates(iteration: int) -> Callable[[Experiment], Experiment]:
    """Make the generator's parameters infinite in one iteration; the losses stay finite."""

    def alter(experiment: Experiment) -> Experiment:
        algorithm = experiment.algorithm
        optimizer = algorithm.optimizers.generator

        def update(gradients: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
            updates, after = optimizer.update(gradients, state, params)
            (count,) = (leaf for leaf in jax.tree.leaves(after) if leaf.dtype == jnp.int32)
            factor = jnp.where(count == iteration, jnp.inf, 1)
            return jax.tree.map(lambda leaf: leaf * factor, updates), after

        diverging = optax.GradientTransformation(optimizer.init, update)
        optimizers = replace(algorithm.optimizers, generator=diverging)
        return replace(experiment, algorithm=replace(algorithm, optimizers=optimizers))

    return alter


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (injected.inf, "generator_gradients is inf"),
        (infinite_updates, r"state\.generator\.params\[.* is not finite"),
    ],
)
def test_non_finite_values_stop_training_and_keep_the_checkpoint(
    tiny: Tiny,
    tmp_path: Path,
    fault: Callable[[int], Callable[[Experiment], Experiment]],
    problem: str,
) -> None:
    diverging = fault(4)(tiny(num_iterations=6, log_every=6, sample_every=6))
    message = f"iteration 4: {problem}; the checkpoint of iteration 2 remains"
    with pytest.raises(UserError, match=message):
        on_two(diverging, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["2"]


def test_next_start_reports_the_non_finite_value(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tiny(num_iterations=6, log_every=6, sample_every=6)
    for _ in range(2):
        with pytest.raises(UserError, match="critic_gradients is nan"):
            on_two(injected.nan(4)(experiment), tmp_path)
    before = "the previous run stopped in iteration 4: critic_gradients is nan"
    assert before in capsys.readouterr().out
    for expected in (True, False):  # reported until a later checkpoint is saved
        on_two(experiment, tmp_path)
        assert (before in capsys.readouterr().out) == expected


def test_first_non_finite_metric_is_reported() -> None:
    metrics = {"early": np.array([1.0, 2.0, np.nan]), "late": np.array([1.0, np.inf, np.nan])}
    with pytest.raises(UserError, match="iteration 12: late is inf; no checkpoint was written"):
        require_finite_metrics(13, metrics, saved=0)


class OnceCompiled(io.StringIO):
    """Standard output that calls a function when the step has been compiled."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self._call = call

    def write(self, text: str) -> int:
        if text.startswith("compiled in"):
            self._call()
        return super().write(text)


def test_full_disk_loses_no_checkpoint_or_entry(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    uninterrupted = on_two(tiny(num_iterations=6), tmp_path / "uninterrupted")
    on_two(tiny(num_iterations=2), run)
    never = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 10**6)
    for first, file in (
        ("log_every", "metrics.jsonl"),
        ("sample_every", "samples/0000004.png"),
        ("checkpoint_every", "checkpoints/4"),
    ):
        config = tiny(num_iterations=6, **never | {first: 4})
        with (
            ExitStack() as contexts,
            redirect_stdout(OnceCompiled(lambda: contexts.enter_context(full_disk()))),
            pytest.raises(OSError, match=str(run / file)) as error,
        ):
            on_two(config, run)
        assert error.value.errno == errno.EFBIG
        finished = (run / "checkpoints").glob("*/SHA256SUMS")
        assert [path.parent.name for path in finished] == ["2"]
    assert_same(uninterrupted, on_two(tiny(num_iterations=6), run))
    assert [entry["step"] for entry in log_entries(run)] == [1, 2, 4, 6]


@pytest.mark.parametrize("first", ["log_every", "sample_every", "checkpoint_every"])
def test_a_workdir_that_was_moved_is_not_made_again(tiny: Tiny, tmp_path: Path, first: str) -> None:
    never = dict.fromkeys(("log_every", "sample_every", "checkpoint_every"), 10**6)
    experiment = tiny(num_iterations=6, **never | {first: 2})
    with (
        redirect_stdout(OnceCompiled(lambda: (tmp_path / "run").rename(tmp_path / "moved"))),
        pytest.raises(UserError, match="run was moved or deleted during the run"),
    ):
        on_two(experiment, tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["moved"]


def test_parts_of_a_run_without_its_config_are_left_alone(tiny: Tiny, tmp_path: Path) -> None:
    for name in ("checkpoints/5", "best/5", "metrics.jsonl"):
        workdir = tmp_path / name[0]
        (workdir / name).mkdir(parents=True)
        with pytest.raises(UserError, match=r"of a run, but not its config.json: restore"):
            on_two(tiny(), workdir)
        assert (workdir / name).exists() and not (workdir / "config.json").exists()


def test_only_fields_changeable_on_resume_may_differ(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_two(tiny(num_iterations=2), tmp_path)
    with pytest.raises(
        UserError,
        match=r"batch_size \(4 stored, 2 given\), generator\.graph_layer\.graph\.knn\.k \(3 stored",
    ):
        on_two(tiny(batch_size=2, k=4), tmp_path)
    on_two(tiny(num_iterations=2, log_every=1, sample_every=1, checkpoint_every=1), tmp_path)
    assert "all 2 iterations are done" in capsys.readouterr().out


def test_batch_larger_than_the_data_is_rejected(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"batch_size = 32 is larger than the 16 training images"):
        on_two(tiny(batch_size=32), tmp_path / "none")
    assert not (tmp_path / "none").exists()
