"""Fits images of any size to the networks: centre crop, area resize, and channels.

H rows, W columns, n the side of the largest square, F channels: 1 grey, 2 grey and alpha, 3 RGB,
4 RGB and alpha. All is integer arithmetic, so that every machine gets the same pixels.
"""

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

LUMA = np.array([19595, 38470, 7471])  # of R, G and B: ITU-R 601 times 2^16, as in Pillow


def fit(
    image: UInt8[ndarray, "H W _"], side: int, channels: int
) -> UInt8[ndarray, "{side} {side} {channels}"]:
    """Cut out the largest square in the middle and resize it; alpha is composited on white."""
    return to_channels(area_resize(on_white(centre_square(image)), side), channels)


def centre_square(image: UInt8[ndarray, "H W F"]) -> UInt8[ndarray, "n n F"]:
    """Return the largest square in the middle; an odd remainder goes to the end."""
    H, W, _ = image.shape
    n = min(H, W)
    top, left = (H - n) // 2, (W - n) // 2
    return image[top : top + n, left : left + n]


def on_white(image: UInt8[ndarray, "H W _"]) -> UInt8[ndarray, "H W _"]:
    """Composite an image with alpha on white: x alpha + 255 (1 - alpha), rounded."""
    if image.shape[-1] in (1, 3):
        return image
    colours, alpha = image[..., :-1].astype(np.uint16), image[..., -1:].astype(np.uint16)
    return ((colours * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def area_resize(image: UInt8[ndarray, "n n F"], side: int) -> UInt8[ndarray, "{side} {side} F"]:
    """Reduce an image to the means of side x side equal areas, rounded to nearest (halves up).

    Pixels on the border of areas count by the part that is inside. Raises ValueError if n < side.
    """
    n = len(image)
    if n < side:
        raise ValueError(f"{n}x{n} pixels cannot be reduced to {side}x{side}")
    if n == side:
        return image
    weights = overlaps(n, side)
    # Sums of integers below 2^24 are exact in float32, those below 2^53 in float64.
    rows = np.empty((side, *image.shape[1:]), np.float32)
    for i, row in enumerate(weights.astype(np.float32)):
        inside = slice(i * n // side, -(-(i + 1) * n // side))
        rows[i] = np.tensordot(row[inside], image[inside].astype(np.float32), 1)
    sums = np.tensordot(weights.astype(np.float64), rows.astype(np.float64), (1, 1))
    return ((2 * sums.swapaxes(0, 1).astype(np.int64) + n**2) // (2 * n**2)).astype(np.uint8)


def overlaps(n: int, side: int) -> Int[ndarray, "{side} {n}"]:
    """Return how much of pixel j is in area i of a line, in units of 1 / side; rows sum to n."""
    area, pixel = n * np.arange(side)[:, None], side * np.arange(n)
    return np.clip(np.minimum(area + n, pixel + side) - np.maximum(area, pixel), 0, None)


def to_channels(image: UInt8[ndarray, "H W _"], channels: int) -> UInt8[ndarray, "H W {channels}"]:
    """Convert between grey and RGB: repeat greys, or take the luma."""
    if image.shape[-1] == channels:
        return image
    if channels == 3:
        return image.repeat(3, axis=-1)
    return ((image @ LUMA + 2**15) >> 16).astype(np.uint8)[..., None]
