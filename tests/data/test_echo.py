"""The echo images, and the measure of their agreement."""

from functools import partial

import numpy as np
import pytest

from gcgan_jax.data.cells import far_apart, full_grid
from gcgan_jax.data.echo import Echo, measure, roll
from gcgan_jax.references import structure as reference

make = partial(Echo, seed=0, image_size=32)


@pytest.mark.parametrize("dims", [3, 12, 75])
def test_cells_repeat_the_textures_of_their_image(dims: int) -> None:
    data = make(dims=dims)
    cells, layouts = data.cells(data.draw(5, 20)), data.layouts(5, 20)
    for image, layout in zip(cells, layouts, strict=True):
        assert len(np.unique(image, axis=0)) == len(np.unique(layout)) <= 3
        for kind in np.unique(layout):
            assert len(np.unique(image[layout == kind], axis=0)) == 1
    assert len(np.unique(cells.reshape(-1, 75), axis=0)) >= 58  # no texture of two images
    assert 0.3 < cells.std() < 0.4  # 0.4 before clipping


@pytest.mark.parametrize("changes", [{}, {"shift": True}, {"fixed": True}, {"dims": 75}])
def test_images_depend_on_the_seed_but_not_on_the_count(changes: dict) -> None:
    data = make(**changes)
    images = data.draw(3, 400)  # several blocks
    np.testing.assert_array_equal(images[:50], data.draw(3, 50))
    assert not np.array_equal(images[:50], data.draw(4, 50))
    loaded = make(seed=7, num_train=5, num_test=4, **changes).load()
    np.testing.assert_array_equal(loaded.train, data.draw(14, 5))
    np.testing.assert_array_equal(loaded.test, data.draw(15, 4))
    assert data.draw(3, 0).shape == (0, 32, 32, 3)


def test_the_margin_is_black_and_rolls_are_undone() -> None:
    still, shifted = make(), make(shift=True)
    images, rolled = still.draw(0, 50), shifted.draw(0, 50)
    assert not images[:, 30:].any() and not images[:, :, 30:].any()
    assert (images != rolled).any(axis=(1, 2, 3)).mean() > 0.9  # all but 1 in 25
    np.testing.assert_array_equal(shifted.cells(rolled), still.cells(images))


def test_images_roll_down_and_to_the_right() -> None:
    images = np.random.default_rng(0).integers(256, size=(2, 7, 7, 3)).astype(np.uint8)
    rolled = roll(images, np.array([[2, 0], [-1, 3]]))
    np.testing.assert_array_equal(rolled[0], np.roll(images[0], 2, axis=0))
    np.testing.assert_array_equal(rolled[1], np.roll(images[1], (-1, 3), axis=(0, 1)))


def test_fixed_layouts_are_those_of_all_images_and_seeds() -> None:
    layouts = np.concatenate([make(fixed=True).layouts(seed, 5) for seed in (0, 1)])
    assert len(np.unique(layouts, axis=0)) == 1 and len(np.unique(layouts)) == 3
    assert len(np.unique(make().layouts(0, 5), axis=0)) == 5


def test_measure_matches_loops_at_an_odd_size() -> None:
    grid, rng = full_grid(17, 4), np.random.default_rng(1)
    far, pairs = far_apart(grid.corners, 17), reference.far_pairs(grid.corners, 17 * 5 / 8)
    textures = rng.normal(size=(5, 3, 7))
    cells = np.stack([image[rng.integers(3, size=16)] for image in textures])
    cells[3:] = rng.normal(size=(2, 16, 7))  # independent
    others = [reference.nearest(cells, np.roll(cells, step, axis=0), pairs) for step in range(1, 5)]
    gap = np.mean(others) - reference.nearest(cells, cells, pairs)
    measured = measure(cells, far, c_real=1.3)
    total = measured["agreement"] + measured["agreement_null"]
    assert total == pytest.approx(gap / 1.3) != 0
    close = reference.share_below(1.3 / 4, cells, pairs)
    assert measured["same"] == pytest.approx(close) and 0 < close < 1
    assert measured["richness"] == pytest.approx(reference.participation_ratio(cells))


@pytest.mark.parametrize(
    "changes",
    [{"dims": 3}, {"dims": 75}, {"shift": True, "kinds": 2}, {"image_size": 16, "kinds": 2}],
)
def test_real_images_have_known_values(changes: dict) -> None:
    data = make(**changes)
    measured = data.structure(data.draw(1, 500))
    far = far_apart(data.grid.corners, data.image_size).sum(axis=1)
    copies = 1 - np.mean((1 - 1 / data.kinds) ** far[far > 0])
    assert measured["agreement"] == pytest.approx(copies, abs=0.03)
    assert measured["agreement_null"] == pytest.approx(0, abs=0.025)
    assert measured["same"] == pytest.approx(1 / data.kinds, abs=0.05)
    assert measured["richness"] == pytest.approx(data.dims, rel=0.03)


def test_constant_and_single_images_have_no_agreement() -> None:
    data = make()
    grey = data.structure(np.full((5, 32, 32, 3), 99, np.uint8))
    assert grey == {"agreement": 0, "agreement_null": 0, "same": 1, "richness": 0}
    single = data.structure(data.draw(0, 1))
    assert single["agreement"] == single["richness"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tile": 11}, r"tile = 11 .*far apart \(image_size = 32\): choose 1 to 10"),
        ({"tile": 2, "dims": 13}, "dims = 13 is more than the 12 values .*choose 1 to 12"),
        ({"tile": 4, "shift": True}, "shift = True needs a black margin.*choose another tile"),
    ],
)
def test_invalid_dials_are_rejected(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_images_of_another_size_are_rejected() -> None:
    for shape in [(2, 16, 16, 3), (0, 32, 32, 3)]:
        with pytest.raises(ValueError, match=r"images .*32, 32, 3"):
            make().structure(np.zeros(shape, np.uint8))
