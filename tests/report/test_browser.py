"""The pages in a real browser: what lights up, moves and changes is what the data say."""

import base64
import io
import json
import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.neighbours import neighbours
from gcgan_jax.commands.trained import EXAMPLE, EXAMPLE_DIRECTORY
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from gcgan_jax.report import __main__ as program
from gcgan_jax.storage.workdir import read_settings
from tests.evaluation.test_results import record
from tests.report.browser import chromium, complaints, requested, show
from tests.report.stored import losses, store_run

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>"
STAGE = "document.querySelector('canvas.stage')"


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium() as driver:
        yield driver


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example's viewer."""
    settings = read_settings(EXAMPLE_DIRECTORY) | {"checkpoint": EXAMPLE}
    out = tmp_path_factory.mktemp("viewer") / "viewer.html"
    neighbours(make_experiment(from_mapping(settings)), Path(), out=out)
    return out


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check that a page neither complains nor fetches anything."""
    driver = request.getfixturevalue("driver")
    complaints(driver), requested(driver)
    yield
    assert complaints(driver) == []
    assert [address for address in requested(driver) if not address.startswith("file:")] == []


def data_of(page: Path) -> Any:
    (stored,) = re.findall(r'id="data">(.*)</script>', page.read_text())
    return json.loads(stored)


def edges(page: Path, rule: int, image: int) -> np.ndarray:
    layer = data_of(page)["viewers"][0]["rules"][rule]["layers"][0]
    stored = np.frombuffer(base64.b64decode(layer["neighbours"]), f"<u{layer['bytes']}")
    stored = stored.reshape(-1, layer["side"] ** 2, layer["k"])
    return stored[min(image, len(stored) - 1)]


def canvas(driver: Any) -> np.ndarray:
    """Return the stage by node and place in its cell, [16, 16, cell, cell, 3]."""
    return cells(decoded(driver.execute_script(f"return {STAGE}.toDataURL()")))


def without_choice(driver: Any, page: Path, rule: int = 0, image: int = 0) -> np.ndarray:
    """Return the stage as it would be without a chosen pixel, likewise."""
    size = driver.execute_script(f"return {STAGE}.width")
    picture = decoded(data_of(page)["viewers"][0]["rules"][rule]["images"][image])
    return cells(picture.resize((size, size), Image.Resampling.NEAREST))


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")


def cells(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image, int).reshape(16, image.height // 16, 16, image.width // 16, 3)
    return pixels.transpose(0, 2, 1, 3, 4)


def lit(before: np.ndarray, after: np.ndarray, chosen: int) -> set[int]:
    """Return the nodes other than the chosen one whose frames are neither dark nor as before."""
    cell = before.shape[2]
    veiled = np.round(before * 0.4)
    frames = np.abs(after - veiled)[:, :, 3, 3:-3].max(axis=(-1, -2))
    assert cell >= 12
    return set(np.flatnonzero(frames.ravel() > 3).tolist()) - {chosen}


def click(driver: Any, node: int) -> None:
    """Click the pixel of a node, then leave the canvas."""
    stage = driver.find_element(By.CSS_SELECTOR, "canvas.stage")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    box = stage.size["width"]
    row, column = divmod(node, 16)
    place = [round((index + 0.5) * box / 16 - box / 2) for index in (column, row)]
    ActionChains(driver).move_to_element_with_offset(stage, *place).click().perform()


def press(driver: Any, *keys: str) -> None:
    driver.find_element(By.CSS_SELECTOR, "canvas.stage").send_keys(*keys)


def chosen(driver: Any) -> int:
    summary = driver.execute_script("return document.querySelector('.summary').textContent")
    row, column = map(int, re.findall(r"Pixel (\d+), (\d+):", summary)[0])
    return 16 * row + column


@pytest.mark.parametrize(("width", "theme"), [(1400, "light"), (400, "dark")])
def test_a_click_lights_exactly_the_neighbours(
    driver: Any, viewer: Path, width: int, theme: str
) -> None:
    show(driver, viewer, width=width, theme=theme)
    before = without_choice(driver, viewer)
    for node in (0, 37, 136, 255):
        click(driver, node)
        assert chosen(driver) == node
        assert lit(before, canvas(driver), node) == set(edges(viewer, 0, 0)[node].tolist())
    fits = "return document.documentElement.scrollWidth <= innerWidth"
    assert driver.execute_script(fits)


def test_hovering_shows_and_leaving_returns_to_the_clicked_pixel(driver: Any, viewer: Path) -> None:
    show(driver, viewer)
    click(driver, 100)
    stage = driver.find_element(By.CSS_SELECTOR, "canvas.stage")
    ActionChains(driver).move_to_element_with_offset(stage, 5, 5).perform()
    assert chosen(driver) == 136
    ActionChains(driver).move_to_element(driver.find_element(By.TAG_NAME, "h1")).perform()
    assert chosen(driver) == 100


def test_arrow_keys_move_the_pixel_and_stop_at_the_border(driver: Any, viewer: Path) -> None:
    show(driver, viewer)
    before = without_choice(driver, viewer)
    click(driver, 17)
    right, down, left, up = "\ue014", "\ue015", "\ue012", "\ue013"
    for keys, node in (((right,), 18), ((down, down), 50), ((left,) * 5, 48), ((up,) * 9, 0)):
        press(driver, *keys)
        assert chosen(driver) == node
        assert lit(before, canvas(driver), node) == set(edges(viewer, 0, 0)[node].tolist()) - {node}


def test_another_graph_and_image_change_what_lights_up(driver: Any, viewer: Path) -> None:
    show(driver, viewer)
    click(driver, 68)
    rules = data_of(viewer)["viewers"][0]["rules"]
    found = []
    for rule in range(len(rules)):
        for image in (0, 2):
            for field, index in (("rule", rule), ("image", image)):
                driver.execute_script(
                    f"document.querySelectorAll('input[name$={field}]')[{index}].click()"
                )
            before = without_choice(driver, viewer, rule, image)
            found.append(lit(before, canvas(driver), 68))
            assert found[-1] == set(edges(viewer, rule, image)[68].tolist()) - {68}
    names = [rule["name"] for rule in rules]
    assert names == ["as trained", "self", "ring", "random", "soft_knn"]
    assert found[2:6] == [set(), set(), found[4], found[4]] and found[6] != found[7]


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


def scroll_through(driver: Any) -> None:
    """Let every chart come into view."""
    driver.execute_async_script(
        """
        const done = arguments[0];
        const plots = [...document.querySelectorAll(".plot")];
        const next = () => {
          const plot = plots.shift();
          if (!plot) { done(); return; }
          plot.scrollIntoView();
          requestAnimationFrame(() => requestAnimationFrame(next));
        };
        next();
        """
    )


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
    plot = driver.find_element(By.CSS_SELECTOR, ".plot .u-over")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    for offset in range(-80, 80, 20):
        ActionChains(driver, duration=10).move_to_element_with_offset(plot, offset, 0).perform()
    readout = driver.find_element(By.CSS_SELECTOR, ".readout").text
    assert re.fullmatch(r"(run-\d+|run, mean), iteration [\d,]+: [\d.]+", readout)
    assert time.monotonic() - began < 10


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
