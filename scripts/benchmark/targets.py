"""What is compiled ahead of time: chips that may be absent, and the rows of Table 4.1."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFIGS = (
    "configs/baseline.py",
    "configs/edge_conv.py:8",
    "configs/edge_conv.py:16",
    "configs/edge_conv.py:32",
    "configs/ecc.py:8",
    "configs/ecc.py:16",
    "configs/ecc.py:32",
    "configs/ecc.py:32,constant",
)


@dataclass(frozen=True)
class Target:
    """A chip to compile for.

    Attributes:
        chip: its name.
        memory: its memory in GiB.
        compiler: module that must be installed.
        topology: arguments of `get_topology_desc`.
    """

    chip: str
    memory: int
    compiler: str
    topology: dict[str, str]


H100 = Path(__file__).with_name("h100.txtpb").read_text()
TARGETS = {
    "v5e": Target("TPU v5e", 16, "libtpu", {"platform": "tpu", "topology_name": "v5e:2x2"}),
    "v4": Target("TPU v4", 32, "libtpu", {"platform": "tpu", "topology_name": "v4:2x2x1"}),
    "h100": Target(
        "H100",
        80,
        "jax_cuda12_plugin",
        {"platform": "cuda", "topology": "1x1x1", "target_config": H100},
    ),
}


# Platform, kind and number of cores of a chip, which Pallas asks for.
CHIPS = {"h100": ("cuda", "NVIDIA H100 80GB HBM3", 132), "v5e": ("tpu", "TPU v5 lite", 1)}


def abstract_mesh(target: str) -> Any:
    """Return a mesh of one absent chip; Pallas kernels can be lowered for it in its context."""
    # Imported late, as JAX reads the environment that `aot.py` sets.
    from jax.sharding import AbstractDevice, AbstractMesh

    platform, kind, cores = CHIPS[target]
    device = AbstractDevice(device_kind=kind, num_cores=cores, platform=platform)
    return AbstractMesh((1,), ("devices",), abstract_device=device)


def memory(plan: Any) -> dict[str, int]:
    """Return the bytes on the device, by use."""
    parts = {
        "arguments": plan.argument_size_in_bytes,
        "outputs": plan.output_size_in_bytes - plan.alias_size_in_bytes,
        "temporaries": plan.temp_size_in_bytes,
        "code": plan.generated_code_size_in_bytes,
    }
    return parts | {"total": sum(parts.values())}
