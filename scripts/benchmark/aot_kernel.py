"""AOT compilation of the selection kernel for an absent H100 and TPU v5e.

    .ahead/bin/python -m scripts.benchmark.aot_kernel --json=docs/results/selection_kernel.json

Compiles the kNN graph of 32 images (8 of 64x64) alone, for the shapes in which the program uses it.
Takes a minute; see `aot.py` for the environment.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from gcgan_jax.report import markdown
from gcgan_jax.storage.atomic import write_text
from scripts.benchmark.structure import compiled_counts
from scripts.benchmark.targets import CHIPS, TARGETS, abstract_mesh, memory

SHAPES = ((1024, 8), (1024, 32), (256, 8), (4096, 32))  # nodes and k
FEATURES = 66
COLUMNS = ("chip", "images", "nodes", "k", "sorts", "loops", "launches", "temporaries")
MIB = 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="output file for all results")
    arguments = parser.parse_args()
    os.environ["JAX_PLATFORMS"] = "cpu"  # use no accelerator of this machine
    os.environ["TPU_SKIP_MDS_QUERY"] = "1"  # this machine is not a TPU host
    results = [compile_graph(target, nodes, k) for target in CHIPS for nodes, k in SHAPES]
    print("\n".join([markdown.header(*COLUMNS), *map(table_row, results)]))
    if arguments.json:
        write_text(arguments.json, json.dumps(results, indent=1) + "\n")


def compile_graph(target: str, nodes: int, k: int) -> dict[str, Any]:
    import jax
    from jax.experimental.topologies import get_topology_desc
    from jax.sharding import SingleDeviceSharding, use_abstract_mesh

    from gcgan_jax.graphs.knn import knn

    device = get_topology_desc(**TARGETS[target].topology).devices[0]
    side, images = int(nodes**0.5), 8 if nodes > 1024 else 32
    features = jax.ShapeDtypeStruct(
        (images, side, side, FEATURES), "float32", sharding=SingleDeviceSharding(device)
    )
    with use_abstract_mesh(abstract_mesh(target)):
        lowered = jax.jit(lambda x: knn(x, k, "kernel")).lower(features)
    compiled = lowered.compile()
    return {
        "target": target,
        "jax": jax.__version__,
        "images": images,
        "nodes": nodes,
        "k": k,
        "compiled": compiled_counts(compiled.as_text()),
        "memory": memory(compiled.memory_analysis()),
    }


def table_row(result: dict[str, Any]) -> str:
    counts = [result["compiled"][name] for name in ("sorts", "loops", "launches")]
    shape = [result[name] for name in ("images", "nodes", "k")]
    temporaries = f"{result['memory']['temporaries'] / MIB:.0f} MiB"
    return markdown.row(TARGETS[result["target"]].chip, *shape, *counts, temporaries)


if __name__ == "__main__":
    main()
