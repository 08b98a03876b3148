"""Images of a trained generator: the content of the files, and that the generator made it."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image

from gcgan_jax.commands.interpolate import interpolate, step_sizes
from gcgan_jax.commands.nearest import find_nearest, nearest
from gcgan_jax.commands.neighbours import find_edges, neighbours
from gcgan_jax.commands.sample import sample
from gcgan_jax.commands.trained import load_trained
from gcgan_jax.errors import UserError
from gcgan_jax.experiment import Experiment
from gcgan_jax.training.loop import train
from tests.conftest import make
from tests.helpers import save_untrained, snapshot

SMALL: dict[str, Any] = {
    "operator": "ecc",
    "num_iterations": 2,
    "ema_decay": 0.5,
    "sample_images": 9,
    "eval__batch_size": 4,
    "show__rows": (0, 9),
    "show__columns": (3, 15),
    "show__latents": (0, 2),
    "show__images": 9,
}


TWO = jax.devices()[:2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("run")
    train(make(**SMALL), workdir, devices=TWO)
    return workdir


def small(**changes: Any) -> Experiment:
    return make(**SMALL | changes)


def test_the_grid_equals_that_of_the_run(run: Path) -> None:
    grid = np.asarray(Image.open(sample(small(), run, TWO)))
    np.testing.assert_array_equal(grid, Image.open(run / "samples" / "0000002.png"))


def test_all_formats_hold_the_same_images(run: Path) -> None:
    path = sample(small(show__format="npz"), run, TWO)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["arr_0.npy"]
    images = np.load(path)["arr_0"]
    assert images.shape == (9, 16, 16, 3) and images.dtype == np.uint8
    for count in ({"show__images": 12}, {}):  # fewer images replace more
        folder = sample(small(show__format="png", **count), run, TWO)
    singles = [np.asarray(Image.open(file)) for file in sorted(folder.iterdir())]
    np.testing.assert_array_equal(singles, images)
    trained = load_trained(small(), run, TWO)
    np.testing.assert_array_equal(trained.images(trained.latents(range(9))), images)


@pytest.mark.parametrize("command", [sample, interpolate, neighbours, nearest])
def test_out_leaves_the_workdir_untouched(
    command: Callable[..., Any], run: Path, tmp_path: Path
) -> None:
    before = snapshot(run)
    command(small(), run, TWO, out=tmp_path / "new" / "out")
    assert snapshot(run) == before
    assert list((tmp_path / "new" / "out" / "pictures").iterdir())


def test_seed_ema_and_checkpoint_select_other_images(run: Path) -> None:
    first = sample(small(show__format="npz"), run, TWO).read_bytes()
    assert sample(small(show__format="npz", show__seed=1), run, TWO).read_bytes() != first
    ema = sample(small(show__format="npz", show__ema=True), run, TWO)
    assert ema.name == "samples-0000002-ema.npz" and ema.read_bytes() != first
    with pytest.raises(UserError, match="has no EMA"):
        small(show__ema=True, ema_decay=None)
    with pytest.raises(UserError, match=r"config\.checkpoint = '1': no such checkpoint"):
        sample(small(checkpoint="1"), run, TWO)


def test_interpolation(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    interpolate(small(show__waypoints=3, show__steps=4), run, TWO)
    printed = capsys.readouterr().out
    trained = load_trained(small(), run, TWO)
    waypoints = trained.images(trained.latents(range(3)))
    for name in ("spherical", "linear"):
        strip = np.asarray(Image.open(run / "pictures" / f"{name}-0000002.png"))
        assert strip.shape == (2 * 18 - 2, 4 * 18 - 2, 3)
        np.testing.assert_array_equal(strip[18:, :16], waypoints[1])
        with Image.open(run / "pictures" / f"{name}-0000002.gif") as animation:
            assert (animation.n_frames, animation.size) == (9, (64, 64))
        assert f"{name}: " in printed
    sums = np.asarray(Image.open(run / "pictures" / "arithmetic-0000002.png"))
    for column in range(3):
        np.testing.assert_array_equal(sums[:, 18 * column :][:, :16], waypoints[column])


def test_steps_between_frames() -> None:
    frames = np.zeros((3, 2, 2, 1), np.uint8)
    frames[1:] = 4
    frames[2, 0, 0] = 254
    assert step_sizes(frames) == ((4 + 62.5) / 2, 62.5)


def test_neighbours_are_those_of_the_generator(run: Path) -> None:
    neighbours(small(), run, TWO)
    path = run / "pictures" / "neighbours-0000002-block2_graph.npz"
    assert path.with_suffix(".png").exists()
    stored = np.load(path)
    assert stored["neighbours"].shape == stored["gamma"].shape == (2, 256, 3)
    assert (stored["gamma"] > 0).all() and (stored["gamma"] <= 1).all()
    np.testing.assert_array_equal(stored["pixels"], [(0, 3), (9, 15)])
    trained = load_trained(small(), run, TWO)
    latents = trained.latents([0, 2])
    np.testing.assert_array_equal(stored["images"], trained.images(latents))
    one_by_one = [
        find_edges(trained, trained.latents([number]))["block2_graph"] for number in (0, 2)
    ]
    for number, edges in enumerate(one_by_one):
        np.testing.assert_array_equal(edges.neighbours[0], stored["neighbours"][number])


def test_pixels_out_of_range_and_missing_graphs(run: Path) -> None:
    with pytest.raises(UserError, match="each from 0 to 15"):
        neighbours(small(show__rows=(0, 16)), run, TWO)
    with pytest.raises(UserError, match="choose as many rows as columns"):
        neighbours(small(show__rows=(0,)), run, TWO)
    with pytest.raises(UserError, match="has no graph to draw"):
        neighbours(small(operator="none"), run, TWO)


def test_nearest_by_pixels(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nearest(small(show__nearest=3), run, TWO)
    printed = capsys.readouterr().out
    assert "by pixels, median distance" in printed and "by features" not in printed
    rows = np.asarray(Image.open(run / "pictures" / "nearest-0000002.png"))
    assert rows.shape == (2 * 18 - 2, 4 * 18 - 2, 3)
    train_images = small().load_images().train.astype(float)
    for number in range(2):
        row = rows[18 * number :][:16].astype(float)
        generated, actual = row[:, :16], [row[:, 18 * n :][:, :16] for n in (1, 2, 3)]
        expected = np.sort(np.linalg.norm((train_images - generated).reshape(16, -1), axis=1))[:3]
        np.testing.assert_allclose(
            [np.linalg.norm(generated - image) for image in actual], expected
        )


def test_nearest_by_features_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = small(data__image_size=32, num_iterations=2, eval__cache=str(tmp_path / "cache"))
    save_untrained(large, tmp_path / "run")
    nearest(large, tmp_path / "run", TWO)
    assert "by features, median distance" in capsys.readouterr().out


def test_find_nearest_is_exact() -> None:
    random = np.random.default_rng(0)
    train_images = random.normal(size=(40, 6)).astype(np.float32)
    queries = np.concatenate([train_images[7:8], random.normal(size=(3, 6))]).astype(np.float32)
    indices, distances = find_nearest(queries, train_images, 4)
    expected = np.linalg.norm(train_images.astype(float) - queries[:, None].astype(float), axis=-1)
    np.testing.assert_array_equal(indices, np.argsort(expected, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(expected, axis=1)[:, :4])
    assert (indices[0, 0], distances[0, 0]) == (7, 0)
