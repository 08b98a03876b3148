"""The headroom of a config's data set, as the user sees it."""

import json
from pathlib import Path

import numpy as np
import pytest

from gcgan_jax.commands.headroom import conclude, headroom, percent
from gcgan_jax.errors import UserError
from gcgan_jax.evaluation.headroom import (
    ANOTHER,
    HEADROOM,
    MEAN,
    ORIGINS,
    SAME,
    WEIGHTED,
    Headroom,
    Share,
)
from tests.conftest import Tiny
from tests.program import ExperimentProgram, ended

FEW = {"data__twins__num_train": 12, "data__twins__num_test": 10, "show__headroom_images": 10}


def test_the_program_measures_without_a_run(tiny: Tiny, program: ExperimentProgram) -> None:
    code, out, err = ended(program.run(tiny(**FEW, batch_size=32), "--mode=headroom"))
    assert (code, err) == (0, "")
    assert "| same image |" in out and " ± " in out and ": what self-similarity could gain" in out
    result = json.loads((program.directory / "run" / "headroom.json").read_text())
    assert (result["data"], result["images"]) == ("twins", 10)
    assert list(result["explained"]) == [MEAN, WEIGHTED]
    for shares in result["explained"].values():
        assert list(shares) == [*ORIGINS, HEADROOM]
        difference = shares[SAME]["value"] - shares[ANOTHER]["value"]
        assert shares[HEADROOM]["value"] == pytest.approx(difference)


def test_images_without_variation(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    flat = np.full((10, 16, 16, 3), 7, np.uint8)
    np.savez(tmp_path / "flat.npz", train=flat, test=flat)
    config = {"data__name": "npz", "data__npz__file": str(tmp_path / "flat.npz")}
    headroom(tiny(**config, show__headroom_images=10), tmp_path / "run", tmp_path / "new" / "out")
    out = capsys.readouterr().out
    assert "| headroom | - | - |" in out and "nothing is left to gain" in out
    result = json.loads((tmp_path / "new" / "out" / "headroom.json").read_text())
    assert result["explained"][MEAN][HEADROOM] == {"value": None, "error": None}
    assert not (tmp_path / "run").exists()


def test_too_few_images(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"headroom_images = 11: twins has 10 held-out images"):
        headroom(tiny(**FEW | {"show__headroom_images": 11}), tmp_path)


def test_percent_and_conclusion() -> None:
    assert percent(Share(0.01234, 0.001)) == "1.23 ± 0.10"
    assert percent(Share(-1e-6, 1e-6)) == "0.00 ± 0.00"
    assert (percent(Share(0.5, None)), percent(Share(None, None))) == ("50.00", "-")
    shares = {HEADROOM: Share(0.01, 0.001)}
    text = conclude(Headroom(0.971, {WEIGHTED: shares}))
    assert "97.1 % of the pixels' variance" in text and "1.00 ± 0.10 % more than" in text
