"""The data sets beside echo: far echo, mirror, palette and parity."""

from functools import partial

import numpy as np
import pytest

from gcgan_jax.data import DATASETS
from gcgan_jax.data.far_echo import FarEcho
from gcgan_jax.data.mirror import Mirror
from gcgan_jax.data.palette import Palette
from gcgan_jax.data.parity import Parity
from gcgan_jax.data.procedural import Procedural

FAR_ECHO, MIRROR = FarEcho(0, 64), Mirror(0, 32)
PALETTE, PARITY = Palette(0, 32), Parity(0, 32)
KNOWN = {  # measures of real images
    FAR_ECHO: {"agreement": 1, "elsewhere": 0, "richness": 12},
    MIRROR: {"agreement": 1, "elsewhere": 0, "richness": 48},
    PALETTE: {"agreement": 0.5, "richness": 3},
    PARITY: {"parity": 1, "parity_null": 0, "contrast": 1, "richness": 8},
}
by_name = partial(pytest.mark.parametrize, ids=lambda data: type(data).__name__)


@by_name("data", KNOWN)
def test_images_depend_on_the_seed_but_not_on_the_count(data: Procedural) -> None:
    images = data.draw(3, 400)  # several blocks
    np.testing.assert_array_equal(images[:50], data.draw(3, 50))
    assert not np.array_equal(images[:50], data.draw(4, 50))
    assert data.draw(3, 0).shape == (0, data.image_size, data.image_size, 3)


@by_name("data", KNOWN)
def test_real_images_have_known_values(data: Procedural) -> None:
    assert data.structure(data.draw(1, 400)) == pytest.approx(KNOWN[data], rel=0.03, abs=0.03)


@by_name("data", KNOWN)
def test_constant_and_single_images_have_no_structure(data: Procedural) -> None:
    grey = np.full((3, data.image_size, data.image_size, 3), 200, np.uint8)
    for images in (grey, data.draw(0, 1)):
        measured = data.structure(images)
        assert next(iter(measured.values())) == measured["richness"] == 0


def test_the_right_edge_repeats_the_left_edge() -> None:
    images = FAR_ECHO.draw(0, 20).astype(int)
    np.testing.assert_array_equal(images[:, :, 48:63], images[:, :, :15])
    assert not images[:, 60:].any()
    for dark in (slice(45, 48), slice(63, 64)):
        assert not images[:, :, dark].any()
    cells = FAR_ECHO.grid.cut(images.astype(np.uint8))
    assert len(np.unique(cells.reshape(-1, 75), axis=0)) == 20 * 12 * 9  # no other copies


def test_the_right_half_mirrors_the_left_half() -> None:
    images = MIRROR.draw(0, 20)
    np.testing.assert_array_equal(images, images[:, :, ::-1])
    assert len(np.unique(MIRROR.half.cut(images).reshape(-1, 48), axis=0)) == 20 * 32


def test_mirror_compares_only_cells_far_from_their_reflections() -> None:
    images = MIRROR.draw(0, 200)
    images[:, :, 8:24] = MIRROR.draw(1, 200)[:, :, 8:24]
    assert MIRROR.structure(images)["agreement"] == pytest.approx(1, abs=0.02)
    images[:, :, 24:] = MIRROR.draw(2, 200)[:, :, 24:]
    assert MIRROR.structure(images)["agreement"] == pytest.approx(0, abs=0.02)


def test_cells_of_a_palette_share_their_mean_alone() -> None:
    cells = Palette(0, 32, share=0.25).grid.cut(PALETTE.draw(0, 50))
    assert len(np.unique(cells.reshape(-1, 75), axis=0)) > 1700
    for share in (0.0, 0.25, 1.0):
        data = Palette(0, 32, share=share)
        measured = data.structure(data.draw(1, 1_000))
        assert measured["agreement"] == pytest.approx(share, abs=0.04)


def test_the_number_of_white_tiles_is_even() -> None:
    images = PARITY.draw(0, 2_000)
    fields = images.reshape(-1, 4, 8, 4, 8, 3).swapaxes(2, 3).reshape(-1, 16, 192)
    assert (fields == fields[:, :, :1]).all()
    rows, columns = np.divmod(np.arange(16), 4)
    assert set(fields[:, (rows + columns) % 2 == 1].ravel()) == {128}
    white = fields[:, (rows + columns) % 2 == 0, 0] == 255
    assert (white.sum(axis=1) % 2 == 0).all()
    assert len(np.unique(white, axis=0)) == 128
    signs = np.where(white, 1, -1)
    assert abs(np.mean(signs[:, :7].prod(axis=1))) < 0.1  # any seven are independent
    assert abs(np.corrcoef(signs.T) - np.eye(8)).max() < 0.1


def test_parity_matches_its_equation() -> None:
    tiles = np.array([[1] * 8, [1] * 7 + [-1], [-1] * 2 + [1] * 6])  # products 1, -1, 1
    cells = np.zeros((3, 16, 192))
    cells[:, [0, 2, 5, 7, 8, 10, 13, 15]] = tiles[:, :, None] * 0.5
    measured = PARITY.structure(PARITY.grid.join(cells))
    null = (1 / 3) ** 3
    assert measured["parity"] == pytest.approx(1 / 3 - null)
    assert measured["parity_null"] == pytest.approx(null)
    assert measured["contrast"] == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("far_echo", {"image_size": 16}, "tile = 5 does not fit .*choose 1 to 4"),
        ("far_echo", {"image_size": 64, "dims": 76}, "dims = 76 .*choose 1 to 75"),
        ("mirror", {"image_size": 32, "tile": 5}, "tile = 5 does not divide half"),
        ("palette", {"image_size": 16, "tile": 6}, "tile = 6 leaves no cells far apart"),
        ("parity", {"image_size": 30}, "image_size = 30: must be a multiple of 4"),
    ],
)
def test_invalid_dials_are_rejected(name: str, fields: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DATASETS[name](seed=0, **fields)
