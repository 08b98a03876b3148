"""The measures of procedural images catch images that cheat."""

import json
from pathlib import Path

import pytest

from scripts.echo_table import CHEATS, Subject, main, measure_cheats, subjects

CAUGHT_BY = {  # the measure of echo that tells each cheat from real images
    "independent cells": "agreement",
    "one image repeated": "agreement",
    "all cells alike": "same",
    "eight images repeated": "diversity",
    "cells of one image": "agreement",
    "neighbours alike": "agreement",
    "blurred": "agreement",
    "half the contrast": "agreement",
}
SUBJECTS = {subject.name: subject for subject in subjects()}
CHEATING = [cheat for cheat in CHEATS if cheat != "real"]


@pytest.mark.parametrize("name", [name for name in SUBJECTS if name.startswith("echo")])
def test_each_cheat_on_echo_is_caught(name: str) -> None:
    rows = measure_cheats(SUBJECTS[name], 200)
    real = rows.pop("real")
    assert rows.keys() == CAUGHT_BY.keys()
    for cheat, values in rows.items():
        measure = CAUGHT_BY[cheat]
        assert abs(values[measure] - real[measure]) > 0.2 * real[measure], cheat
    collapsed = rows["one image repeated"]
    assert collapsed["agreement"] == collapsed["diversity"] == 0
    assert collapsed["richness"] < 2.1


@pytest.mark.parametrize(
    "subject", SUBJECTS.values(), ids=lambda subject: subject.name.replace(" ", "_")
)
def test_cheats_have_larger_errors_than_real_images(subject: Subject) -> None:
    rows = measure_cheats(subject, 200)
    least = 2.5 * rows["real"]["structure_error"]
    blind = ("half the contrast",) if subject.name == "twins" else ()  # correlations have no scale
    for cheat in set(CHEATING).difference(blind):
        assert rows[cheat]["structure_error"] > max(0.1, least), cheat


def test_table_and_pictures_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output, pictures = tmp_path / "echo.json", tmp_path / "pictures"
    main(["--images=9", "--readings=9", f"--output={output}", f"--pictures={pictures}"])
    report = json.loads(output.read_text())
    assert report["sets"].keys() == SUBJECTS.keys() and report["images"] == 9
    assert len(list(pictures.glob("*.png"))) == len(SUBJECTS)
    assert capsys.readouterr().out.count("\n| all cells alike |") == len(SUBJECTS)


def test_too_few_images_and_missing_directories_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--images=8"])
    assert "--images=8: choose at least 9" in capsys.readouterr().err
    with pytest.raises(SystemExit, match=r"^echo_table: .*pictures"):
        main(["--images=9", f"--pictures={tmp_path / 'none' / 'pictures'}"])
