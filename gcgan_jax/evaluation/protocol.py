"""How a score is obtained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """Numbers that a score depends on."""

    name: str
    samples: int
    splits: int = 10  # of the samples, contiguous: Inception Score
    subsets: int = 100  # KID
    subset_size: int = 1_000
    neighbours: int = 3  # precision and recall
    most_neighbours_of: int = 10_000  # samples and real images, the first ones: likewise


PROTOCOLS = {p.name: p for p in (Protocol("standard", 50_000), Protocol("small", 5_000))}


@dataclass(frozen=True)
class Provenance:
    """How a score was obtained: only scores of equal provenance may be compared.

    Attributes:
        weights: SHA-256 of the network's.
        data: the real images' name and the start of their SHA-256.
        batch_norm: "running" averages or those of each "batch"; None for a folder of images.
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
