"""Registry of graphs: Modules that decide which pixels are connected."""

import flax.linen as nn

from gcgan_jax.graphs.knn import KNN

GRAPHS: dict[str, type[nn.Module]] = {"knn": KNN}
