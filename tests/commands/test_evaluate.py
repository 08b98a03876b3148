"""Scores of runs and folders: what is written, selected and rejected; training is unaffected."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.evaluate import evaluate
from gcgan_jax.commands.trained import load_state
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.protocol import Protocol
from gcgan_jax.evaluation.results import Record, read_records
from gcgan_jax.experiment import Experiment
from gcgan_jax.runtime.preemption import Stop
from gcgan_jax.training.loop import train
from tests.conftest import Tiny
from tests.helpers import assert_same, save_untrained, snapshot

TOY = Protocol("small", samples=24, splits=3, subsets=4, subset_size=8)
TWO = jax.devices()[:2]
Scored = Callable[..., Experiment]

on_two = partial(train, devices=TWO)


def records(workdir: Path) -> list[Record]:
    return read_records(workdir / "scores.jsonl")


@pytest.fixture
def scored(tiny: Tiny, tmp_path: Path) -> Scored:
    def make(**changes: Any) -> Experiment:
        fields = {
            "eval__network": "structure",
            "eval__batch_size": 8,
            "eval__cache": str(tmp_path / "cache"),
            "num_iterations": 6,
        }
        return replace(tiny(**fields | changes), protocol=TOY)

    return make


def test_scores_entries_samples_and_checkpoints_do_not_affect_training(
    scored: Scored, tmp_path: Path
) -> None:
    rarely = {f"{name}_every": 10**6 for name in ("log", "sample", "checkpoint")}
    without = on_two(scored(ema_decay=0.5, **rarely), tmp_path / "without")
    with_scores = on_two(scored(ema_decay=0.5, eval_every=2), tmp_path / "with")
    assert_same(without, with_scores)
    found = records(tmp_path / "with")
    assert [(r.step, r.ema, r.score) for r in found if r.score == "structure_error"] == [
        (step, ema, "structure_error") for step in (2, 4, 6) for ema in (False, True)
    ]
    for entry in map(json.loads, (tmp_path / "with" / "metrics.jsonl").read_text().splitlines()):
        expected = {r.score: r.value for r in found if r.step == entry["step"] and r.ema}
        assert {k[10:]: v for k, v in entry.items() if k.startswith("score/ema/")} == expected
        assert ("score/structure_error" in entry) == (entry["step"] in (2, 4, 6))
    assert not (tmp_path / "without" / "scores.jsonl").exists()


def test_the_best_checkpoint_has_the_best_score(
    scored: Scored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = scored(eval_every=2)
    on_two(scored(eval_every=2, num_iterations=4), tmp_path / "run")
    on_two(experiment, tmp_path / "run")  # resumed
    found = {r.step: r.value for r in records(tmp_path / "run") if r.score == "structure_error"}
    assert found.keys() == {2, 4, 6}
    best = load_state(scored(checkpoint="best"), tmp_path / "run")
    assert found[int(best.iteration)] == min(found.values())

    before = records(tmp_path / "run")
    evaluate(scored(checkpoint="best"), tmp_path / "run", None, TWO)
    assert f"iteration {int(best.iteration)}" in capsys.readouterr().out
    assert sorted(map(str, before)) == sorted(map(str, records(tmp_path / "run")))


def test_scores_that_were_interrupted_are_made_up_for(scored: Scored, tmp_path: Path) -> None:
    experiment = scored(eval_every=2, num_iterations=2, iterations_per_call=2)
    stop = Stop()
    stop.signal = signal.SIGTERM
    on_two(experiment, tmp_path, stop)
    assert not records(tmp_path)
    for _ in range(2):
        on_two(experiment, tmp_path)
        found = [r.score for r in records(tmp_path)]
        assert len(set(found)) == len(found) and "structure_error" in found
    assert (tmp_path / "best" / "2").exists()


@pytest.mark.parametrize("batch_norm", ["running", "batch"])
def test_scores_do_not_depend_on_the_number_of_devices(
    batch_norm: str, scored: Scored, tmp_path: Path
) -> None:
    experiment = scored(eval__batch_norm=batch_norm)
    state = experiment.init_state()
    images = experiment.load_images()
    found = []
    for devices in (1, 4):
        made = experiment.evaluator(images, jax.devices()[:devices])
        found.append({r.score: r.value for r in made.score(state.models)})
    correlations = {"diagonal_correlation", "other_correlation"}
    assert found[0].keys() == correlations | {"diversity", "structure_error"}
    for name, value in found[0].items():
        np.testing.assert_allclose(found[1][name], value, atol=2e-3)


def test_the_classifier_needs_no_download(
    scored: Scored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = scored(data__image_size=32, eval__network="classifier")
    save_untrained(experiment, tmp_path / "run")
    evaluate(experiment, tmp_path / "run", None, TWO)
    found = {r.score: r for r in records(tmp_path / "run")}
    assert found.keys() == {
        "classifier_score", "classifier_fid", "classifier_kid", "classifier_precision",
        "classifier_recall",
    }  # fmt: skip
    assert 1 <= found["classifier_score"].value <= 10
    assert found["classifier_fid"].value > 0
    printed = capsys.readouterr().out
    assert "small protocol: 24 samples in 3 splits against twins" in printed
    assert "network classifier" in printed

    folder = tmp_path / "real"
    folder.mkdir()
    for number, image in enumerate(np.tile(experiment.load_images().train, (2, 1, 1, 1))):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    evaluate(experiment, tmp_path / "run", folder, TWO)
    of_folder = {r.score: r for r in records(tmp_path / "run") if r.images == str(folder)}
    assert of_folder["classifier_fid"].value < found["classifier_fid"].value
    assert of_folder["classifier_precision"].value == 1
    assert of_folder["classifier_fid"].step is None


def test_scores_go_elsewhere_with_out(scored: Scored, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "new" / "out"
    save_untrained(scored(num_iterations=2), run)
    before = snapshot(run)
    evaluate(scored(num_iterations=2), run, None, TWO, out=out)
    assert snapshot(run) == before
    elsewhere = records(out)
    evaluate(scored(num_iterations=2), run, None, TWO)
    assert elsewhere == records(run) != []


def test_scores_are_printed_even_if_they_cannot_be_written(
    scored: Scored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment, run = scored(num_iterations=2), tmp_path / "run"
    save_untrained(experiment, run)
    (run / "scores.jsonl").write_text("foreign")
    (run / "scores.jsonl.rejected").mkdir()
    with pytest.raises(UserError, match="rejected is a directory"):
        evaluate(experiment, run, None, TWO)
    assert "structure_error" in capsys.readouterr().out
    assert records(run)
    (run / "scores.jsonl").unlink()
    (run / "scores.jsonl").mkdir()
    with pytest.raises(UserError, match=r"scores\.jsonl is a directory"):
        evaluate(experiment, run, None, TWO)
    assert capsys.readouterr().out == ""  # before anything is scored


def test_folders_that_cannot_be_scored(scored: Scored, tmp_path: Path) -> None:
    experiment, folder = scored(), tmp_path / "images"
    with pytest.raises(UserError, match="no such directory"):
        evaluate(experiment, tmp_path, folder, TWO)
    folder.mkdir()
    with pytest.raises(UserError, match="has 0 images, but the protocol needs 24"):
        evaluate(experiment, tmp_path, folder, TWO)

    def fill(size: tuple[int, int]) -> None:
        for number in range(24):
            Image.new("RGB", size).save(folder / f"{number:02}.png")

    fill((20, 20))
    with pytest.raises(UserError, match=r"has images of 20x20 pixels, .* needs 16x16"):
        evaluate(experiment, tmp_path, folder, TWO)
    fill((16, 16))
    Image.new("RGB", (16, 17)).save(folder / "07.png")
    with pytest.raises(UserError, match=r"07\.png is 16x17 pixels, but 00\.png is 16x16"):
        evaluate(experiment, tmp_path, folder, TWO)
    Image.new("L", (16, 16)).save(folder / "07.png")
    with pytest.raises(UserError, match=r"07\.png has 8-bit grey pixels"):
        evaluate(experiment, tmp_path, folder, TWO)
    (folder / "07.png").write_text("no image")
    with pytest.raises(UserError, match=r"07\.png is of unknown format, not a PNG"):
        evaluate(experiment, tmp_path, folder, TWO)
    assert not (tmp_path / "scores.jsonl").exists()


def test_missing_checkpoints(scored: Scored, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run: train one"):
        evaluate(scored(), tmp_path / "absent", None, TWO)
    assert not (tmp_path / "absent").exists()
    save_untrained(scored(num_iterations=2), tmp_path / "run")
    with pytest.raises(UserError, match=r"checkpoint = '5': no such checkpoint .* there are 2"):
        evaluate(scored(num_iterations=2, checkpoint="5"), tmp_path / "run", None, TWO)
    with pytest.raises(UserError, match=r"checkpoint = 'best': .* there is none yet"):
        evaluate(scored(num_iterations=2, checkpoint="best"), tmp_path / "run", None, TWO)
    with pytest.raises(UserError, match="different config: seed"):
        evaluate(scored(num_iterations=2, seed=1), tmp_path / "run", None, TWO)


def test_real_images_must_match_network_and_devices(scored: Scored, tmp_path: Path) -> None:
    for experiment, message in (
        (scored(eval__batch_size=7), "batch_size = 7 is not divisible by the 2 devices"),
        (scored(eval__network="classifier"), "takes 32x32 images, but these are 16x16"),
        (scored(eval__network="classifier", data__twins__num_test=4, eval__split="test"),
         "'test' of twins has 4 images"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message):
            experiment.evaluator(experiment.load_images(), TWO)


def test_a_state_is_restored_as_saved(scored: Scored, tmp_path: Path) -> None:
    experiment = scored(ema_decay=0.9)
    state = save_untrained(experiment, tmp_path / "run")
    assert_same(state, load_state(experiment, tmp_path / "run"))
