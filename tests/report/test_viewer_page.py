"""The viewer in a real browser: what lights up, moves and changes is what the data say."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.neighbours import neighbours
from gcgan_jax.commands.trained import EXAMPLE, EXAMPLE_DIRECTORY
from gcgan_jax.config.schema import from_mapping
from gcgan_jax.experiment import make_experiment
from gcgan_jax.storage.workdir import read_settings
from tests.report.browser import data_of, point, show

pytestmark = pytest.mark.slow

STAGE = "document.querySelector('canvas.stage')"


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example's viewer."""
    settings = read_settings(EXAMPLE_DIRECTORY) | {"checkpoint": EXAMPLE}
    out = tmp_path_factory.mktemp("viewer") / "viewer.html"
    neighbours(make_experiment(from_mapping(settings)), Path(), out=out)
    return out


def edges(page: Path, rule: int, image: int) -> np.ndarray:
    layer = data_of(page)["viewers"][0]["rules"][rule]["layers"][0]
    stored = np.frombuffer(base64.b64decode(layer["neighbours"]), f"<u{layer['bytes']}")
    stored = stored.reshape(-1, layer["side"] ** 2, layer["k"])
    return stored[min(image, len(stored) - 1)]


def weights_of(page: Path, rule: int, image: int) -> np.ndarray:
    layer = data_of(page)["viewers"][0]["rules"][rule]["layers"][0]
    stored = np.frombuffer(base64.b64decode(layer["weights"]), "<u2")
    return stored.reshape(-1, layer["side"] ** 2, layer["k"])[image]


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
    """Click the pixel of a node."""
    row, column = divmod(node, 16)
    point(driver, "canvas.stage", (column + 0.5) / 16, (row + 0.5) / 16, click=True)


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
    point(driver, "canvas.stage", 0.52, 0.52)
    assert chosen(driver) == 136
    point(driver, "h1")
    assert chosen(driver) == 100


def test_arrow_keys_move_the_pixel_and_stop_at_the_border(driver: Any, viewer: Path) -> None:
    show(driver, viewer)
    before = without_choice(driver, viewer)
    click(driver, 17)
    right, down, left, up = "\ue014", "\ue015", "\ue012", "\ue013"
    for keys, node in (((right,), 18), ((down, down), 50), ((left,) * 5, 48), ((up,) * 9, 0)):
        driver.find_element("css selector", "canvas.stage").send_keys(*keys)
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
    drawn, weights = canvas(driver), weights_of(viewer, rule=4, image=2)[68]
    by_weight = edges(viewer, 4, 2)[68][np.argsort(weights)]
    orange = np.array([245, 166, 35])
    errors = [np.abs(drawn[divmod(node, 16)][3, 3:-3] - orange).max() for node in by_weight]
    assert errors[-1] < 3 < 50 < errors[0]
