"""The study's list of runs, its rules, and its results file."""

import base64
import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.storage.image_files import image_grid, write_png
from scripts.study import __main__ as study
from scripts.study import ablation, gan, graphs, worker
from scripts.study.conditions import Agreed, CriticSees, StayedAtNull
from scripts.study.configured import make
from scripts.study.jobs import Job, Results, chosen, obstacle
from scripts.study.lines import (
    append_line,
    as_results,
    make_line,
    read_lines,
    results_of,
    rounded,
)
from scripts.study.runs import DECIDES, JOBS
from scripts.study.tier_a import A3

OWN = {  # settings that are no config fields, by kind
    "bench": ("features", "noise"),
    "non_local_means": ("noise", "window", "k", "bandwidth"),
}
LONGEST = 8_000  # bytes of a line
JOB = Job("A3", "knn", 0, "gan", {"config": "configs/quickstart.py", "num_iterations": 250}, 6)


def test_jobs_are_distinct_and_each_run_says_what_it_decides() -> None:
    assert max(Counter(job.identity for job in JOBS).values()) == 1
    assert max(Counter(job.name for job in JOBS).values()) == 1
    assert {job.run for job in JOBS} == set(DECIDES)
    places = Counter(job.workdir(Path()) for job in JOBS if not job.missing)
    shared = {place for place, count in places.items() if count > 1}
    assert shared == {job.workdir(Path()) for job in JOBS if job.run in ("A0", "A6") and job.folder}


def test_what_decides_is_run_first() -> None:
    runs = list(dict.fromkeys(job.run for job in JOBS))
    assert runs[:6] == ["A2", "A3", "A1", "A4", "A5", "A0"]
    first = [job for job in JOBS if job.run == "A3"][: 2 * len(A3)]
    assert [job.seed for job in first] == [0] * len(A3) + [1] * len(A3)


def test_all_settings_are_valid_configs() -> None:
    for job in {str(job.settings): job for job in JOBS if not job.missing}.values():
        own = OWN.get(job.kind, ())
        settings = {name: value for name, value in job.settings.items() if name not in own}
        config = make(settings, job.seed).config
        assert config.num_iterations % config.iterations_per_call == 0
        assert config.num_iterations <= config.decay_iterations, job.name


def results(**of_arms: Any) -> Results:
    return Results({("A", arm, seed): r for arm, rs in of_arms.items() for seed, r in rs.items()})


def agreeing(*values: float) -> dict[int, Any]:
    return {seed: {"scores": {"agreement": value}} for seed, value in enumerate(values)}


def test_conditions() -> None:
    sees = CriticSees("A", "critic", at_least=1.0)
    assert sees.unmet(results()) == "waits for A, critic"
    assert not sees.unmet(results(critic={0: {"d_prime": 0.8}, 1: {"d_prime": 1.2}}))
    assert "d' = 0.70" in sees.unmet(results(critic={0: {"d_prime": 0.8}, 1: {"d_prime": 0.6}}))
    passed, null = Agreed("A", "knn", 2, above=0.1), StayedAtNull("A", "knn", 2, above=0.1)
    for condition in (passed, null):
        assert condition.unmet(results(knn=agreeing(0.5))) == "waits for more seeds of A, knn"
    assert not passed.unmet(results(knn=agreeing(0.5, 0.2)))
    assert null.unmet(results(knn=agreeing(0.5, 0.2))).startswith("left out: ")
    for failed in (agreeing(0.5, 0.1), agreeing(0.1)):
        assert passed.unmet(results(knn=failed)).startswith("left out: ")
    assert not null.unmet(results(knn=agreeing(0.5, 0.1)))
    job = replace(JOB, conditions=(sees, passed))
    assert obstacle(job, results(critic={0: {"d_prime": 2}})) == "waits for more seeds of A, knn"
    assert obstacle(replace(job, missing="no tool"), results()) == "left out: no tool"


def test_only_some_runs() -> None:
    assert {job.run for job in chosen(JOBS, ["A2", "A4"])} == {"A2", "A4"}
    with pytest.raises(ValueError, match=r"unknown run 'A9': choose from A2, A3, "):
        chosen(JOBS, ["A9"])


def test_lines_are_results_of_their_job_alone(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    assert read_lines(path) == []
    append_line(path, make_line(JOB, {"d_prime": 1.23456789}, 12.34, 11.0, resumed=False))
    with path.open("a") as file:
        file.write('{"run": "A3"}\n{"run": "A3", "arm": "kn')  # another program's, and a cut one
    other = replace(JOB, seed=1, settings=JOB.settings | {"critic.widths": (4, 8)})
    append_line(path, make_line(other, {"d_prime": float("nan")}, 1.0, 1.0, resumed=True))
    first, second = read_lines(path)
    assert (first["seconds"], first["result"], first["resumed"]) == (
        12.3,
        {"d_prime": 1.2346},
        False,
    )
    assert first["versions"]["jax"] and first["machine"] and second["result"] == {"d_prime": None}
    changed = replace(JOB, settings=JOB.settings | {"num_iterations": 500})
    assert results_of([changed, other, JOB], [first, second]) == {other: second, JOB: first}


def test_times_are_of_whole_jobs_on_the_usual_machine() -> None:
    jobs = [replace(JOB, seed=seed) for seed in range(4)]
    lines = [make_line(job, {}, 9.0, 8.0, resumed=job.seed == 1) for job in jobs]
    lines[2]["machine"] = "another"
    timed = as_results(dict(zip(jobs, lines, strict=True))).of(JOB.run, JOB.arm)
    assert timed == [{"cpu_seconds": 8.0}, {}, {}, {"cpu_seconds": 8.0}]


def test_rounding_keeps_whole_numbers() -> None:
    assert rounded({"a": [123456, 0.000123456789, True, None]}) == {
        "a": [123456, 0.00012346, True, None]
    }


def test_results_of_a_training_fit_into_a_line(tmp_path: Path) -> None:
    job = next(job for job in JOBS if job.name == "A3, echo-3 knn, seed 0")
    workdir = job.workdir(tmp_path)
    workdir.mkdir(parents=True)
    layer = [f"graph/block2_graph/measure_of_a_layer_{i}" for i in range(12)]
    names = ["wasserstein", "critic_loss", "echo/agreement", "echo/same", "critic/test"]
    names += ["graph/block2_graph/news", "graph/block2_graph/distance_ratio", *layer]
    with (workdir / "metrics.jsonl").open("w") as file:
        for step in range(25, 251, 5):
            entry = {"step": step} | dict.fromkeys(names, -step / 7)
            file.write(json.dumps(entry) + "\n")
    assert gan.result(job, tmp_path) is None
    from tests.evaluation.test_results import record

    scores = ("agreement", "agreement_null", "same", "richness", "diversity", "structure_error")
    with (workdir / "scores.jsonl").open("w") as file:
        for score in scores:
            one = record(score=score, value=0.123456789, step=250, network="structure")
            file.write(json.dumps(one.to_json()) + "\n")
    (workdir / "config.json").write_text(json.dumps({"data": {"image_size": 5}}))
    grid = np.random.default_rng(0).integers(256, size=(9, 5, 5, 3), dtype=np.uint8)
    write_png(workdir / "samples/0000250.png", image_grid(grid))
    result = gan.result(job, tmp_path)
    with Image.open(io.BytesIO(base64.b64decode(result["samples"]))) as shown:
        pixels = np.asarray(shown.convert("RGB"))
    assert pixels.shape == (5, 19, 3) and np.abs(pixels[:, 7:12] - grid[1].astype(int)).mean() < 20
    line = make_line(job, result, 300.0, 290.0, resumed=True)
    assert len(json.dumps(line)) < LONGEST
    assert result["scores"]["agreement"] == 0.123456789
    curves = result["curves"]
    assert curves["step"][-1] == 250 and len(curves["step"]) <= gan.POINTS
    assert curves["echo/agreement"] == [-step / 7 for step in curves["step"]]
    assert result["last"][layer[0]] == -250 / 7 and "critic_loss" not in result["last"]


def test_ablations_are_shortened() -> None:
    score = {"value": 1.0, "difference": 0.5, "error": 0.1}
    row = {"rule": "self", "batch_norm": "running", "scores": {"agreement": score, "same": score}}
    layer = {"news": 0.5, "edges_by_distance": [0.1] * 16}
    found = ablation.shortened({"images": 100, "rules": [row], "layers": {"block2_graph": layer}})
    assert found["rules"] == {"running": {"self": {"agreement": [1.0, 0.5, 0.1]}}}
    assert found["layers"] == {"block2_graph": {"news": 0.5, "edges_by_distance": [0.1] * 8}}


def test_graphs_are_compared_and_one_pixel_is_kept(tmp_path: Path) -> None:
    job = next(job for job in JOBS if job.name == "A6, knn, seed 0")
    folder = job.workdir(tmp_path) / "pictures"
    folder.mkdir(parents=True)
    first = np.array([[[1, 2], [0, 2], [0, 1], [0, 1]]])
    last = np.array([[[1, 2], [0, 3], [3, 0], [1, 2]]])  # overlaps of 1, 1/3, 1/3 and 1/3
    for number, neighbours in ((100, first), (200, first), (250, last)):
        arrays = {"neighbours": neighbours, "gamma": np.ones((1, 4, 2), np.float32)}
        images = np.zeros((1, 4, 4, 3), np.uint8)
        assert graphs.result(job, tmp_path) is None
        np.savez(folder / f"neighbours-{number:07}-block2_graph.npz", images=images, **arrays)
    found = graphs.result(job, tmp_path)
    assert found["overlap"] == [1.0, pytest.approx(0.5)] and found["chance"] == 2 / 6
    edges = found["edges"]
    assert (edges["side"], edges["node"], edges["neighbours"]) == (2, 3, [1, 2])
    assert edges["weights"] == [1, 1]


def test_commands_of_trainings() -> None:
    job = replace(JOB, kind="ablation", settings=JOB.settings | {"critic.widths": [4, 8]})
    train, ablate = ablation.commands(job, Path("root"), ["--config.data.dir=D"])
    assert "--config.critic.widths=(4, 8)" in train and "--config.eval_every=250" in train
    assert "--config=configs/quickstart.py" in train and train[-1] == "--config.data.dir=D"
    assert ablate == [*train, "--mode=ablate"]


def test_workers_learn_where_the_data_are(tmp_path: Path) -> None:
    job = next(job for job in JOBS if job.name == "C5, CIFAR-10, seed 0")
    ((*_, described, _),) = worker.commands(
        job, tmp_path, ["--config.data.dir=D=1", "--config.batch_size=8", "--verbose_errors"]
    )
    settings = json.loads(Path(described).read_text())["settings"]
    assert settings == {"config": "configs/default.py", "data.dir": "D=1"}


def test_list(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    critic = next(job for job in JOBS if job.run == "A2")
    append_line(path, make_line(critic, {"d_prime": 2.3}, 100.0, 90.0, resumed=False))
    study.main(["--list", "--only=A2,A3,C", f"--results={path}"])
    out = capsys.readouterr().out
    assert "A2: whether a critic sees" in out
    assert "  echo-3, seed 0: done in 100 s\n" in out
    assert "  echo-12, seed 0: to run, about 2 minutes\n" in out
    assert "  echo-3 knn, seed 0: to run, about 6 minutes\n" in out
    assert "  echo-12 knn, seed 0: waits for A2, echo-12\n" in out
    assert "left out: it needs an accelerator" in out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--workdir: name a directory"),
        (["--workdir=w", "--jobs=99"], "--jobs=99: choose 1 to "),
        (["--workdir=w", "--only=A9"], "--only: unknown run 'A9'"),
    ],
)
def test_invalid_arguments(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        study.main(flags)
    assert message in capsys.readouterr().err + str(exit_.value)
