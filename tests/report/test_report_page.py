"""The report in a real browser: what it shows is what the data say, and names stay text."""

import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gcgan_jax.report import __main__ as program
from tests.evaluation.test_results import record
from tests.report.browser import data_of, point, scroll_through, show
from tests.report.stored import losses, store_run

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"


def test_the_slider_changes_the_grids(driver: Any, tmp_path: Path) -> None:
    runs = [
        store_run(tmp_path / name, grids=steps, batch_size=size)
        for name, steps, size in (("a", (1, 2, 4), 4), ("b", (2, 4), 8))
    ]
    page = tmp_path / "report.html"
    program.main([*map(str, runs), f"--out={page}", "--no-viewers"])
    show(driver, page)
    stored = {of["run"]: {g["step"]: g["png"] for g in of["grids"]}
              for of in data_of(page)["samples"]["runs"]}  # fmt: skip
    grids = "return [...document.querySelectorAll('.grids img')].map((image) => image.src)"
    expected = {0: (1, 2), 1: (2, 2), 2: (4, 4)}  # by place of the slider: iterations of a and b
    assert driver.execute_script(grids) == [stored["a"][4], stored["b"][4]]
    for place, (of_a, of_b) in expected.items():
        driver.execute_script(
            "const slider = document.querySelector('input[type=range]');"
            f"slider.value = {place}; slider.dispatchEvent(new Event('input'))"
        )
        assert driver.execute_script(grids) == [stored["a"][of_a], stored["b"][of_b]]


def test_names_and_fields_are_text(driver: Any, tmp_path: Path) -> None:
    runs = [tmp_path / f"{HOSTILE}&lt;\u2028", tmp_path / "</script><b>x"[:1] / "b"]
    markup = f"{HOSTILE}</script><script>alert(2)</script>"
    store_run(runs[0], records=[record(step=4, network=markup, score=HOSTILE)], eval__cache=markup)
    store_run(runs[1], batch_size=8, values=lambda step: losses(step) | {f"{HOSTILE}/x": 1.0})
    store_run(tmp_path / "<svg onload=alert(3)>", steps=(1,))
    page = tmp_path / "report.html"
    program.main([*map(str, runs), str(tmp_path / "<svg onload=alert(3)>"), f"--out={page}"])
    show(driver, page)
    scroll_through(driver)
    assert (
        driver.execute_script("return document.querySelectorAll('svg, b, [onerror]').length") == 0
    )
    assert driver.execute_script("return document.scripts.length") == 3
    text = driver.execute_script("return document.body.textContent")
    for shown in (markup, "&lt;\\u2028", "<svg onload=alert(3)>", f"{HOSTILE}/x"):
        assert shown in text


def test_twenty_long_runs_stay_responsive(driver: Any, tmp_path: Path) -> None:
    """Only the time in the browser: reading 20 x 100,000 entries takes too long for a test."""

    def values(step: int) -> dict[str, float]:
        return {f"metric{number}": float((step * 7919 + number) % 1000) for number in range(8)}

    runs = [
        store_run(tmp_path / f"run-{seed}", seed=seed, steps=range(1, 3001), values=values)
        for seed in range(20)
    ]
    page = tmp_path / "report.html"
    program.main([*map(str, runs), f"--out={page}", "--no-viewers"])
    assert page.stat().st_size < 10_000_000
    show(driver, page)
    scroll_through(driver)
    charts = driver.execute_script("return document.querySelectorAll('.plot canvas').length")
    assert charts == 8
    began = time.monotonic()
    for x in range(20, 80, 5):
        point(driver, ".plot .u-over", x / 100)
    readout = driver.find_element("css selector", ".readout").text
    assert re.fullmatch(r"(run-\d+|run, mean), iteration [\d,]+: [\d.]+", readout)
    assert time.monotonic() - began < 15


def test_scores_of_two_protocols_never_share_a_chart(driver: Any, tmp_path: Path) -> None:
    records = [record(step=step, protocol=name, value=1.0) for step in (2, 4)
               for name in ("small", "standard")]  # fmt: skip
    store_run(tmp_path / "a", records=records, data__name="cifar10", data__image_size=32)
    page = tmp_path / "report.html"
    program.main([str(tmp_path / "a"), f"--out={page}", "--no-viewers"])
    show(driver, page)
    parts = (
        "return [...document.querySelectorAll('#scores h3, #scores .chart')].map(e => e.tagName)"
    )
    assert list(pairwise(driver.execute_script(parts)))[::2] == [("H3", "DIV"), ("H3", "DIV")]
