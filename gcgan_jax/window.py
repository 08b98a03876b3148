"""A pixel's 3x3 window, which the graph leaves to the convolution, and what is outside it."""


def check_knn(height: int, width: int, k: int) -> None:
    """Raises ValueError unless every pixel of the map has k neighbours outside its 3x3 window."""
    if min(height, width) < 4:
        raise ValueError(f"a kNN graph needs sides of at least 4 pixels, got {height}x{width}")
    if not 1 <= k <= height * width - 9:
        raise ValueError(
            f"k = {k} does not fit a {height}x{width} map: choose 1 <= k <= {height * width - 9}"
        )
