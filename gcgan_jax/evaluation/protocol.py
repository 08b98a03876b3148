"""Protocols of scoring, and the provenance of scores."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """Parameters of all scores.

    Attributes:
        samples: number of samples to score.
        splits: contiguous splits of the samples, for the Inception Score.
        subsets, subset_size: random subsets, for KID.
        neighbours: neighbours that define a manifold, for precision and recall.
        manifold_samples: maximum number of samples and real images, for precision and recall.
        diversity_samples: likewise, for the diversity of images with a known structure.
    """

    name: str
    samples: int
    splits: int = 10
    subsets: int = 100
    subset_size: int = 1_000
    neighbours: int = 3
    manifold_samples: int = 10_000
    diversity_samples: int = 1_000


PROTOCOLS = {p.name: p for p in (Protocol("standard", 50_000), Protocol("small", 5_000))}


@dataclass(frozen=True)
class Provenance:
    """How a score was obtained; only scores of equal provenance are comparable.

    Attributes:
        network, weights: name of the network and SHA-256 of its weights.
        protocol, samples, splits: see `Protocol`.
        data, split: the real images: name of the data set and start of their SHA-256, and split.
        batch_norm: "running" averages or statistics of each "batch"; None for a folder of images.
    """

    network: str
    weights: str
    protocol: str
    samples: int
    splits: int
    data: str
    split: str
    batch_norm: str | None

    def __str__(self) -> str:
        model = "" if self.batch_norm is None else f", {self.batch_norm} statistics"
        network = f"{self.network} {self.weights[:8]}".strip()
        return (
            f"{self.protocol} protocol: {self.samples} samples in {self.splits} splits against "
            f"{self.data} ({self.split}), network {network}{model}"
        )
