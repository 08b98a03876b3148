"""Registry of graphs: Modules that decide which pixels are connected."""

import flax.linen as nn

from gcgan_jax.graphs.controls import Far, Grid, Random, Ring, SelfLoops, Shuffled
from gcgan_jax.graphs.knn import KNN
from gcgan_jax.graphs.soft_knn import SoftKNN

GRAPHS: dict[str, type[nn.Module]] = {
    "knn": KNN,
    "soft_knn": SoftKNN,
    "self": SelfLoops,
    "grid": Grid,
    "ring": Ring,
    "random": Random,
    "shuffled": Shuffled,
    "far": Far,
}
