"""The loop: what it writes, how it resumes, where it stops."""

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
from tests.reliability import injected

on_two = partial(train, devices=jax.devices()[:2])


def rows(workdir: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def assert_same(a: object, b: object) -> None:
    for mine, theirs in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_stopped_and_resumed_is_the_same_bit_for_bit(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ecc = partial(tiny, operator="ecc", iterations_per_call=2, log_every=4)
    whole = on_two(ecc(num_iterations=6), tmp_path / "whole")
    on_two(ecc(num_iterations=2), tmp_path / "parts")
    with (tmp_path / "parts" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 3, "lost": 1}\n{"step": 4, "cut o')
    capsys.readouterr()
    resumed = on_two(ecc(num_iterations=6), tmp_path / "parts")
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


def infinite_updates(iteration: int) -> Callable[[Experiment], Experiment]:
    """The generator's parameters become infinite in one iteration; losses stay finite."""

    def alter(experiment: Experiment) -> Experiment:
        algorithm = experiment.algorithm
        optimizer = algorithm.optimizers.generator

        def update(gradients: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
            updates, after = optimizer.update(gradients, state, params)
            (count,) = (leaf for leaf in jax.tree.leaves(after) if leaf.dtype == jnp.int32)
            factor = jnp.where(count == iteration, jnp.inf, 1)
            return jax.tree.map(lambda leaf: leaf * factor, updates), after

        spoilt = optax.GradientTransformation(optimizer.init, update)
        optimizers = replace(algorithm.optimizers, generator=spoilt)
        return replace(experiment, algorithm=replace(algorithm, optimizers=optimizers))

    return alter


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (injected.inf, "generator_gradients is inf"),
        (infinite_updates, r"state\.generator\.params\[.* is not finite"),
    ],
)
def test_not_finite_stops_with_the_iteration_and_keeps_the_checkpoint(
    tiny: Tiny,
    tmp_path: Path,
    fault: Callable[[int], Callable[[Experiment], Experiment]],
    what: str,
) -> None:
    spoilt = fault(4)(tiny(num_iterations=6, log_every=6, sample_every=6))
    message = f"iteration 4: {what}; the checkpoint of iteration 2 remains"
    with pytest.raises(UserError, match=message):
        on_two(spoilt, tmp_path)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["2"]


def test_the_next_starts_say_what_was_not_finite(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tiny(num_iterations=6, log_every=6, sample_every=6)
    for _ in range(2):
        with pytest.raises(UserError, match="critic_gradients is nan"):
            on_two(injected.nan(4)(experiment), tmp_path)
    before = "the run before stopped in iteration 4: critic_gradients is nan"
    assert before in capsys.readouterr().out
    for expected in (True, False):  # shown until a checkpoint is beyond it
        on_two(experiment, tmp_path)
        assert (before in capsys.readouterr().out) == expected


def test_the_first_number_that_is_not_finite_is_reported() -> None:
    metrics = {"early": np.array([1.0, 2.0, np.nan]), "late": np.array([1.0, np.inf, np.nan])}
    with pytest.raises(UserError, match="iteration 12: late is inf; no checkpoint was written"):
        require_finite_metrics(13, metrics, saved=0)


class FullOnceCompiled(io.StringIO):
    """Standard output; once it says that the step is compiled, the disk is full."""

    def __init__(self, opened: ExitStack) -> None:
        super().__init__()
        self._opened = opened

    def write(self, text: str) -> int:
        if text.startswith("compiled in"):
            self._opened.enter_context(full_disk())
        return super().write(text)


def test_a_full_disk_loses_nothing(tiny: Tiny, tmp_path: Path) -> None:
    run = tmp_path / "run"
    whole = on_two(tiny(num_iterations=6), tmp_path / "whole")
    on_two(tiny(num_iterations=2), run)
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
            on_two(config, run)
        assert error.value.errno == errno.EFBIG
        finished = (run / "checkpoints").glob("*/SHA256SUMS")
        assert [path.parent.name for path in finished] == ["2"]
    assert_same(whole, on_two(tiny(num_iterations=6), run))
    assert [row["step"] for row in rows(run)] == [1, 2, 4, 6]


def test_another_config_is_refused_but_for_free_fields(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_two(tiny(num_iterations=2), tmp_path)
    with pytest.raises(
        UserError,
        match=r"batch_size \(4 there, 2 now\), generator\.graph_layer\.graph\.knn\.k \(3 there",
    ):
        on_two(tiny(batch_size=2, k=4), tmp_path)
    on_two(tiny(num_iterations=2, log_every=1, sample_every=1, checkpoint_every=1), tmp_path)
    assert "all 2 iterations are done" in capsys.readouterr().out


def test_a_batch_larger_than_the_data_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"batch_size = 32 is larger than the 16 training images"):
        on_two(tiny(batch_size=32), tmp_path / "none")
    assert not (tmp_path / "none").exists()
