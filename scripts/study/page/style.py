"""What the study's figures have in common."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = (  # Okabe and Ito 2008: safe for colour-blind readers
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"),
)
COMPARED = (  # arms of A3 in the figures; the tables have all
    *("self_attention", "soft_knn product", "soft_knn product frozen", "soft_knn"),
    *("global", "knn", "random", "self"),
)


def figure_of(width: float, height: float) -> "Figure":
    """Make an empty figure, in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
