"""The twins images, and the metric of their structure."""

import colorsys

import numpy as np
import pytest

from gcgan_jax.data.twins import ProceduralTwins, Twins, kinds, make_images, structure

FLAT = Twins(image_size=32, grid=2, jitter=0, texture=0)
JITTER = Twins(image_size=32, grid=2, jitter=2, texture=0)
TEXTURE = Twins(image_size=32, grid=2, jitter=0, texture=4)
JITTER_TEXTURE = Twins(image_size=32, grid=2, jitter=2, texture=4)
GRID_4 = Twins(image_size=32, grid=4, jitter=0, texture=0)
GRID_4_JITTER_TEXTURE = Twins(image_size=32, grid=4, jitter=1, texture=3)
LAYOUTS = [FLAT, JITTER, TEXTURE, JITTER_TEXTURE, GRID_4, GRID_4_JITTER_TEXTURE]


def cells_of(images: np.ndarray, spec: Twins) -> np.ndarray:
    """Split images into cells by slicing: [n, H, W, 3] -> [n, G, G, c, c, 3]."""
    c = spec.cell
    starts = range(0, spec.image_size, c)
    rows = [[images[:, y : y + c, x : x + c] for x in starts] for y in starts]
    return np.moveaxis(np.array(rows), 2, 0)


def image_of(cells: list[np.ndarray]) -> np.ndarray:
    """Join four cells, row by row, into one image with a 2x2 grid, [1, H, W, 3]."""
    a, b, c, d = cells
    return np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)])[None]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.parametrize("spec", LAYOUTS)
def test_images_are_uint8_and_use_the_full_range(spec: Twins) -> None:
    images = make_images(spec, seed=0, count=200)
    assert images.shape == (200, 32, 32, 3) and images.dtype == np.uint8
    assert images.min() == 0 and images.max() >= 250
    assert cells_of(images, spec).any(axis=(3, 4, 5)).all()  # every cell has a shape


def test_images_depend_on_the_seed_but_not_on_the_count() -> None:
    images = make_images(JITTER_TEXTURE, seed=3, count=700)
    np.testing.assert_array_equal(images, make_images(JITTER_TEXTURE, seed=3, count=700))
    np.testing.assert_array_equal(images[:50], make_images(JITTER_TEXTURE, seed=3, count=50))
    assert make_images(JITTER_TEXTURE, seed=3, count=0).shape == (0, 32, 32, 3)


def test_seeds_share_no_image() -> None:
    train, test = ({i.tobytes() for i in make_images(FLAT, seed, 500)} for seed in (0, 1))
    assert len(train) == len(test) == 500
    assert not train & test


@pytest.mark.parametrize("spec", [FLAT, TEXTURE, GRID_4])
def test_twins_agree_exactly_and_others_do_not(spec: Twins) -> None:
    cells = cells_of(make_images(spec, seed=0, count=300), spec)
    for i in range(1, spec.grid):
        np.testing.assert_array_equal(cells[:, 0, 0], cells[:, i, i])
    assert (cells[:, 0, 0] != cells[:, 0, 1]).any(axis=(1, 2, 3)).all()
    assert (cells[:, 0, 1] != cells[:, 1, 0]).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("spec", [JITTER, JITTER_TEXTURE, GRID_4_JITTER_TEXTURE])
def test_jitter_moves_each_shape_independently_without_clipping(spec: Twins) -> None:
    cells = cells_of(make_images(spec, seed=0, count=300), spec).astype(int)
    assert (cells[:, 0, 0] != cells[:, 1, 1]).any(axis=(1, 2, 3)).mean() > 0.8
    # Twins consist of the same pixels at any displacement: nothing is clipped, stripes move along.
    np.testing.assert_array_equal(*(cells[:, i, i].sum(axis=(1, 2, 3)) for i in (0, 1)))


def test_kinds_and_hues_are_uniform_and_independent_off_the_diagonal() -> None:
    cells = cells_of(make_images(FLAT, seed=0, count=4000), FLAT)
    silhouettes = cells.max(axis=-1).reshape(4000, 4, -1)  # at HSV value 1, just the coverage
    _, kinds = np.unique(silhouettes.reshape(16000, -1), axis=0, return_inverse=True)
    kinds = kinds.reshape(4000, 4)
    assert kinds.max() == 3
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        table = np.histogram2d(kinds[:, a], kinds[:, b], bins=4)[0] / 4000
        np.testing.assert_allclose(table, 1 / 16, atol=0.02)
    red, green, blue = np.moveaxis(cells[:, :, :, 8, 8].reshape(-1, 3) / 255, -1, 0)
    hues = [colorsys.rgb_to_hsv(*rgb)[0] for rgb in zip(red, green, blue, strict=True)]
    np.testing.assert_allclose(np.histogram(hues, 6, (0, 1))[0] / len(hues), 1 / 6, atol=0.02)
    hues = np.array(hues).reshape(4000, 4)
    assert abs(np.corrcoef(hues[:, 1], hues[:, 2])[0, 1]) < 0.05


def test_hues_are_fully_saturated() -> None:
    centres = cells_of(make_images(FLAT, seed=0, count=200), FLAT)[:, :, :, 8, 8]
    assert (centres.max(axis=-1) == 255).all() and (centres.min(axis=-1) == 0).all()


@pytest.mark.parametrize("spec", LAYOUTS)
def test_twins_of_real_images_have_correlation_1(spec: Twins) -> None:
    measured = structure(make_images(spec, seed=0, count=300), spec)
    assert measured["diagonal_correlation"] == pytest.approx(1, abs=1e-9)
    assert 0.2 < measured["other_correlation"] < 0.4


def test_jitter_needs_the_search_over_displacements() -> None:
    images = make_images(JITTER_TEXTURE, seed=0, count=300)
    assert structure(images, TEXTURE)["diagonal_correlation"] < 0.7


def test_structure_matches_the_pearson_correlation_of_numpy() -> None:
    images = noise(5, 32, 32, 3) + make_images(FLAT, seed=0, count=5) / 64
    cells = cells_of(images, FLAT).reshape(5, 4, -1)
    expected = np.mean([np.corrcoef(x) for x in cells], axis=0)
    others = [expected[a, b] for a, b in [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]]
    measured = structure(images.astype(np.float32), FLAT)
    assert measured["diagonal_correlation"] == pytest.approx(expected[0, 3], abs=1e-6)
    assert measured["other_correlation"] == pytest.approx(np.mean(others), abs=1e-6)


@pytest.mark.parametrize("spec", [FLAT, JITTER, GRID_4])
def test_identical_cells_have_correlation_1(spec: Twins) -> None:
    images = np.tile(noise(2, spec.cell, spec.cell, 3), (1, spec.grid, spec.grid, 1))
    assert structure(images, spec) == pytest.approx(
        {"diagonal_correlation": 1.0, "other_correlation": 1.0}
    )


def test_correlation_ignores_scale_but_not_sign() -> None:
    x = noise(16, 16, 3)
    measured = structure(image_of([x, 2 * x + 3, -x, -x]), FLAT)
    assert measured["diagonal_correlation"] == pytest.approx(-1)
    assert measured["other_correlation"] == pytest.approx((1 - 1 - 1 - 1 + 1) / 5)


@pytest.mark.parametrize("spec", [FLAT, JITTER])
@pytest.mark.parametrize("value", [np.uint8(7), np.float32(0.1), np.float64(-1 / 3)])
def test_constant_images_have_correlation_0(spec: Twins, value: np.generic) -> None:
    images = np.full((2, 32, 32, 3), value)
    assert structure(images, spec) == {"diagonal_correlation": 0.0, "other_correlation": 0.0}


def test_a_constant_cell_has_correlation_0_with_others() -> None:
    x = noise(16, 16, 3)
    measured = structure(image_of([x, x, x, np.full_like(x, 0.1)]), FLAT)
    assert measured["diagonal_correlation"] == 0
    assert measured["other_correlation"] == pytest.approx(3 / 5)


def test_noise_has_correlation_near_0() -> None:
    assert all(abs(v) < 0.01 for v in structure(noise(200, 32, 32, 3), FLAT).values())
    # The maximum over 81 displacements is above 0, but far below that of two shapes.
    assert all(0 < v < 0.12 for v in structure(noise(200, 32, 32, 3), JITTER).values())


@pytest.mark.parametrize(("shift", "detected"), [((4, -4), True), ((-1, 3), True), ((0, 5), False)])
def test_shifted_shapes_are_matched_up_to_twice_the_jitter(
    shift: tuple[int, int], detected: bool
) -> None:
    x = noise(16, 16, 3)
    flat = np.zeros_like(x)
    images = image_of([x, flat, flat, np.roll(x, shift, axis=(0, 1))])
    assert structure(images, FLAT)["diagonal_correlation"] < 0.2
    measured = structure(images, JITTER)["diagonal_correlation"]
    assert measured == pytest.approx(1) if detected else measured < 0.2


def test_structure_is_the_mean_over_images_of_all_blocks() -> None:
    images = make_images(GRID_4, seed=0, count=150)  # several blocks
    single = [structure(image[None], GRID_4)["other_correlation"] for image in images]
    assert structure(images, GRID_4)["other_correlation"] == pytest.approx(np.mean(single))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((32, 1, 0, 0), "grid = 1 .*choose grid >= 2"),
        ((32, 3, 0, 0), "image_size = 32 .*grid = 3.*multiple of 3 that is at least 24"),
        ((32, 8, 0, 0), "image_size = 32 .*grid = 8.*multiple of 8 that is at least 64"),
        ((32, 2, 3, 0), "jitter = 3 .*16 pixels: choose 0 to 2"),
        ((32, 2, -1, 0), "jitter = -1 "),
        ((32, 2, 0, 2), "texture = 2 .*choose 0 or >= 3"),
        ((32, 2, 0, -4), "texture = -4 "),
    ],
)
def test_invalid_layouts_are_rejected(fields: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Twins(*fields)


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"count = -1 .*choose count >= 0"):
        make_images(FLAT, seed=0, count=-1)
    for shape in [(2, 32, 32, 1), (32, 32, 3), (2, 16, 16, 3), (0, 32, 32, 3)]:
        with pytest.raises(ValueError, match=r"images .*32, 32, 3"):
            structure(np.zeros(shape, np.uint8), FLAT)


@pytest.mark.parametrize("spec", [FLAT, GRID_4])
def test_the_class_of_an_image_is_the_kind_of_its_twins(spec: Twins) -> None:
    """Shapes of a kind cover the same pixels, and those of another kind do not."""
    images, classes = make_images(spec, seed=3, count=60), kinds(spec, seed=3, count=60)
    covered = cells_of(images, spec).max(axis=-1) > 127
    last = spec.grid - 1
    for cells in (covered[:, 0, 0], covered[:, last, last]):
        shapes = [{cell.tobytes() for cell in cells[classes == kind]} for kind in range(4)]
        assert all(len(of_kind) == 1 for of_kind in shapes) and len(set.union(*shapes)) == 4


def test_classes_of_both_splits() -> None:
    dataset = ProceduralTwins(seed=5, image_size=16, num_train=9, num_test=7)
    images, labels = dataset.load_labelled()
    np.testing.assert_array_equal(images.test, dataset.load().test)
    np.testing.assert_array_equal(labels.train, kinds(dataset.spec, 10, 9))
    np.testing.assert_array_equal(labels.test, kinds(dataset.spec, 11, 7))
