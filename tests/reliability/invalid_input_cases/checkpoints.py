"""Checkpoints and weights that cannot be used."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

from gcgan_jax.storage import checksums
from gcgan_jax.storage.checkpoint_identity import FORMAT
from tests.reliability.invalid_input_cases.case import EVALUATE, SMALL, Case
from tests.reliability.invalid_input_cases.data import tfds
from tests.reliability.invalid_input_cases.folders import folder, image
from tests.storage.test_quarantine import rewrite_identity


def wider_config(directory: Path) -> None:
    """Make the run's config match WIDER, unlike its checkpoints."""
    path = directory / "run" / "config.json"
    config = json.loads(path.read_text())
    config["generator"]["width"] = 32
    path.write_text(json.dumps(config))


def truncated_config(directory: Path) -> None:
    path = directory / "run" / "config.json"
    path.write_text(path.read_text()[:-20])


def newer_format(directory: Path) -> None:
    for step in (directory / "run" / "checkpoints").iterdir():
        rewrite_identity(step, format=FORMAT + 1)


def foreign_checkpoints(directory: Path) -> None:
    for step in (directory / "run" / "checkpoints").iterdir():
        (step / checksums.FILE).unlink()
        (step / "model.bin").write_bytes(b"\0" * 100)


def all_corrupted(directory: Path) -> None:
    for step in (directory / "run" / "checkpoints").iterdir():
        (step / "checkpoint.json").unlink()


class Payload:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (os.system, ("touch EXECUTED",))


def malicious_pickle(directory: Path) -> None:
    (directory / "weights.pth").write_bytes(pickle.dumps(Payload()))


RUN = " ".join([*SMALL, "--workdir={dir}/run"])
WIDER = "--config.generator.width=32"
OUTSIDE = "--config.show.rows=(8,32) --config.show.columns=(8,9)"
INCEPTION = (
    f"--config=configs/baseline.py {EVALUATE} --config.eval.network=inception "
    "--workdir={dir}/run --images={dir}/images --config.data.dir={dir}/data "
    "--config.eval.cache={dir}/cache"
)


def inception(directory: Path) -> None:
    """Create enough data and images for the protocol, so that only the weights are missing."""
    tfds(train=1000, test=1)(directory / "data")
    folder(image("RGB"))(directory)


def with_inception(prepare: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda directory: (inception(directory), prepare(directory))


CHECKPOINTS = (
    Case("no such checkpoint", f"{RUN} {EVALUATE} --config.checkpoint=7", None, True),
    Case("pixel outside the image", f"{RUN} --mode=neighbours {OUTSIDE}", None, True),
    Case("no best checkpoint", f"{RUN} {EVALUATE} --config.checkpoint=best", None, True),
    Case("workdir of another config", f"{RUN} --config.seed=3", None, True),
    Case("config of a run damaged", RUN, truncated_config, True),
    Case("other networks", f"{RUN} {WIDER}", wider_config, True),
    Case("other networks, to be scored", f"{RUN} {WIDER} {EVALUATE}", wider_config, True),
    Case("checkpoints of a newer format", RUN, newer_format, True),
    Case("checkpoints that are not ours", RUN, foreign_checkpoints, True),
    Case("all checkpoints damaged", RUN, all_corrupted, True),
    Case("no weights and no network", INCEPTION, inception),
    Case(
        "weights that do not exist",
        f"{INCEPTION} --config.eval.inception_weights={{dir}}/weights.pth",
        inception,
    ),
    Case(
        "weights with another SHA-256",
        f"{INCEPTION} --config.eval.inception_weights={{dir}}/weights.pth",
        with_inception(lambda directory: (directory / "weights.pth").write_bytes(b"\1" * 100)),
    ),
    Case(
        "a pickle in disguise",
        f"{INCEPTION} --config.eval.inception_weights={{dir}}/weights.pth",
        with_inception(malicious_pickle),
    ),
)
