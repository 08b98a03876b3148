"""Deterministic kernels on GPUs."""

import os
from collections.abc import MutableMapping

FLAG = "--xla_gpu_deterministic_ops=true"


def use_deterministic_kernels(environment: MutableMapping[str, str] = os.environ) -> None:
    """Ask XLA for them; to be called before JAX starts a backend, which reads the flags once."""
    given = environment.get("XLA_FLAGS", "").split()
    environment["XLA_FLAGS"] = " ".join([*given, FLAG])  # the last of contradicting flags counts
