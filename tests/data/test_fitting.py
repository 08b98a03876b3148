"""Centre crop, area resize and channels, against plain means and Pillow."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from gcgan_jax.data.fitting import area_resize, centre_square, fit, on_white, to_channels

RNG = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, np.uint8)


def test_the_square_is_in_the_middle() -> None:
    image = noise(5, 8, 3)
    np.testing.assert_array_equal(centre_square(image), image[:, 1:6])
    np.testing.assert_array_equal(centre_square(image.swapaxes(0, 1)), image.swapaxes(0, 1)[1:6])


@pytest.mark.parametrize("factor", [1, 2, 3, 10])
def test_whole_factors_give_means_of_blocks(factor: int) -> None:
    image = noise(4 * factor, 4 * factor, 3)
    blocks = image.reshape(4, factor, 4, factor, 3).astype(int)
    expected = np.floor(blocks.sum(axis=(1, 3)) / factor**2 + 0.5)
    np.testing.assert_array_equal(area_resize(image, 4), expected)


@pytest.mark.parametrize(("n", "side"), [(7, 3), (28, 16), (5, 4)])
def test_other_factors_weigh_pixels_by_the_part_inside(n: int, side: int) -> None:
    image = noise(n, n, 1)

    def inside(area: int, pixel: int) -> Fraction:
        scale = Fraction(n, side)
        start, end = max(area * scale, pixel), min((area + 1) * scale, pixel + 1)
        return max(end - start, Fraction(0)) / scale

    weights = [[inside(i, j) for j in range(n)] for i in range(side)]
    for i in range(side):
        for j in range(0, side, 2):
            mean = sum(
                weights[i][y] * weights[j][x] * int(image[y, x, 0])
                for y in range(n)
                for x in range(n)
                if weights[i][y] and weights[j][x]
            )
            assert area_resize(image, side)[i, j, 0] == (mean + Fraction(1, 2)) // 1


def test_large_white_images_stay_white() -> None:
    assert (area_resize(np.full((1999, 1999, 1), 255, np.uint8), 7) == 255).all()


def test_luma_and_alpha_are_pillows() -> None:
    rgb, rgba = noise(50, 50, 3), noise(50, 50, 4)
    luma = np.asarray(Image.fromarray(rgb).convert("L"))
    np.testing.assert_array_equal(to_channels(rgb, 1)[..., 0], luma)
    np.testing.assert_array_equal(to_channels(rgb[..., :1], 3)[..., 2], rgb[..., 0])
    white = Image.new("RGBA", (50, 50), "white")
    expected = np.asarray(Image.alpha_composite(white, Image.fromarray(rgba)))[..., :3]
    assert np.abs(on_white(rgba).astype(int) - expected).max() <= 1
    x, alpha = rgba[..., :3].astype(float), rgba[..., 3:] / 255
    np.testing.assert_array_equal(on_white(rgba), np.rint(x * alpha + 255 * (1 - alpha)))


def test_alpha_is_composited_before_pixels_are_averaged() -> None:
    hidden = np.zeros((2, 2, 2), np.uint8)
    hidden[0, 0] = 8, 255  # the only pixel that is not transparent
    assert fit(hidden, 1, 3).tolist() == [[[round((8 + 3 * 255) / 4)] * 3]]
