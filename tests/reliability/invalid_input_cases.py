"""Invalid inputs, as flags of the program, which must reject each with one line and exit code 1.

`{dir}` in a flag stands for a temporary directory, in which a case prepares files.
"""

import json
import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gcgan_jax.storage import checksums
from gcgan_jax.storage.checkpoints import FORMAT, FORMAT_FILE

OPERATOR = "config.generator.graph_layer.operator"
QUICKSTART, ECC = "--config=configs/quickstart.py", "--config=configs/ecc.py"
EVALUATE = "--mode=evaluate"
SMALL = (
    *(QUICKSTART, "--config.generator.width=16", "--config.critic.widths=(4,6,8)"),
    *("--config.data.twins.num_train=64", "--config.data.twins.num_test=16"),
    *("--config.num_iterations=10", "--config.checkpoint_every=5"),
)


@dataclass(frozen=True)
class Case:
    """An invalid input.

    Attributes:
        name: what is wrong.
        flags: command line of the program, split at spaces.
        prepare: creates the files that the flags name, in a given directory.
        resumes: whether {dir}/run holds a run of SMALL with two checkpoints, before `prepare`.
    """

    name: str
    flags: str
    prepare: Callable[[Path], object] | None = None
    resumes: bool = False


def config_file(text: str) -> Callable[[Path], object]:
    return lambda directory: (directory / "mine.py").write_text(text, "latin-1")


def default_with(line: str) -> Callable[[Path], object]:
    return config_file(
        "from configs import default\ndef get_config():\n    config = default.get_config()\n"
        f"    {line}\n    return config\n"
    )


FILE = "--config={dir}/mine.py"

COMMAND_LINE = (
    Case("no config", ""),
    Case("config file that does not exist", "--config=configs/nowhere.py"),
    Case("directory as config file", "--config=configs"),
    Case("config file of bytes", FILE, config_file("\xff\1")),
    Case("config file that is not Python", FILE, config_file("def get_config(:\n")),
    Case("config file without get_config", FILE, config_file("a = 1\n")),
    Case("config file that fails", FILE, config_file("def get_config(): return 1 / 0\n")),
    Case("config file that imports a missing module", FILE, config_file("import nowhere\n")),
    Case("config file that returns a number", FILE, config_file("def get_config(): return 3\n")),
    Case("config file that returns nothing", FILE, config_file("def get_config(): pass\n")),
    Case("argument of a config file that takes none", "--config=configs/baseline.py:3"),
    Case("argument that is not a number", f"{ECC}:many"),
    Case("unknown argument after k", f"{ECC}:8,fast"),
    Case("field before the config file", "--config.seed=1 --config=configs/ecc.py"),
    Case("misspelt flag", f"{ECC} --wrokdir=runs"),
    Case("argument that is not a flag", f"{ECC} train"),
    Case("unknown mode", f"{ECC} --mode=dance"),
    Case("images without scoring them", f"{ECC} --images=samples"),
    Case("scoring in several processes", f"{ECC} {EVALUATE} --distributed"),
    Case("one of the flags of several processes", f"{ECC} --num_processes=2"),
    Case("coordinator without a port", f"{ECC} --coordinator=h --process_id=0 --num_processes=1"),
    Case("process beyond the last", f"{ECC} --coordinator=h:1 --process_id=2 --num_processes=2"),
    Case("process below the first", f"{ECC} --process_id=-1"),
    Case("no time to connect", f"{ECC} --connect_timeout=0"),
)

FIELDS = (
    Case("misspelt field", f"{ECC} --config.bath_size=8"),
    Case("misspelt field of a section", f"{ECC} --config.generator.widht=64"),
    Case("field without a similar one", f"{ECC} --config.zzz=8"),
    Case("misspelt field in a config file", FILE, default_with("config.bath_size = 8")),
    Case("misspelt section in a config file", FILE, default_with("config.crtic = {}")),
    Case("renamed field", f"{ECC} --config.generator.k=16"),
    Case("field of a renamed section", f"{ECC} --config.generator.ecc.delta=1.0"),
    Case(
        "renamed field in a config file", FILE, default_with("config.generator.non_local = 'ecc'")
    ),
    Case(
        "field of a renamed section in a config file",
        FILE,
        default_with("config.generator.ecc.delta = 1.0"),
    ),
    Case("missing field", FILE, default_with("del config.optimizer.eps")),
    Case("missing section", FILE, default_with("del config.critic")),
    Case("word for a whole number", f"{ECC} --config.batch_size=eight"),
    Case("fraction for a whole number", f"{ECC} --config.batch_size=2.5"),
    Case("word for a truth value", f"{ECC} --{OPERATOR}.ecc.attention=maybe"),
    Case("bracket that is not closed", f"{ECC} --config.critic.widths=(1,2"),
    Case("value for a section", f"{ECC} --config.critic=8"),
    Case(
        "text for a number in a config file", FILE, default_with("config.seed = config.data.name")
    ),
    Case("None for a text", FILE, default_with("config.data.name = None")),
    Case("batch_size 0", f"{ECC} --config.batch_size=0"),
    Case("negative batch_size", f"{ECC} --config.batch_size=-8"),
    Case("too many iterations", f"{ECC} --config.num_iterations=2147483648"),
    Case("no critic update", f"{ECC} --config.n_critic=0"),
    Case("learning rate 0", f"{ECC} --config.learning_rate=0.0"),
    Case("infinite learning rate", f"{ECC} --config.learning_rate=inf"),
    Case("learning rate that is not a number", f"{ECC} --config.learning_rate=nan"),
    Case("negative penalty", f"{ECC} --config.loss.wgan_gp.penalty_weight=-1.0"),
    Case("negative seed", f"{ECC} --config.seed=-1"),
    Case("EMA that never moves", f"{ECC} --config.ema_decay=1.0"),
    Case("unknown dtype", f"{ECC} --config.compute_dtype=float16"),
    Case("unknown precision", f"{ECC} --config.matmul_precision=low"),
    Case("unknown optimizer", f"{ECC} --config.optimizer.name=sgd"),
    Case("decay of 1", f"{ECC} --config.optimizer.b2=1.0"),
    Case("eps of 0", f"{ECC} --config.optimizer.eps=0.0"),
    Case("unknown data set", f"{ECC} --config.data.name=mnist"),
    Case("image size that is not 4 * 2^n", f"{QUICKSTART} --config.data.image_size=48"),
    Case("CIFAR-10 of another size", f"{ECC} --config.data.image_size=64"),
    Case("grey channels", f"{ECC} --config.data.channels=1"),
    Case("grid that does not divide the image", f"{QUICKSTART} --config.data.twins.grid=3"),
    Case("jitter beyond the cell", f"{QUICKSTART} --config.data.twins.jitter=9"),
    Case("texture too fine", f"{QUICKSTART} --config.data.twins.texture=2"),
    Case("width that cannot be halved", f"{ECC} --config.generator.width=100"),
    Case("unknown graph", f"{ECC} --config.generator.graph_layer.graph.name=grid"),
    Case("unknown loss", f"{ECC} --config.loss.name=hinge"),
    Case("unknown operator", f"{ECC} --{OPERATOR}.name=gat"),
    Case("block that does not exist", f"{ECC} --config.generator.graph_blocks=(4,)"),
    Case("no neighbours", f"{ECC}:0"),
    Case("more neighbours than pixels", f"{ECC}:248"),
    Case("unknown reduction", f"{ECC} --{OPERATOR}.edge_conv.reduction=min"),
    Case("delta of 0", f"{ECC} --{OPERATOR}.ecc.delta=0.0"),
    Case("module that does not exist", f"{ECC} --config.extensions=('nowhere',)"),
    Case("slope above 1", f"{ECC} --config.critic.slope=2.0"),
    Case("two widths of the critic", f"{ECC} --config.critic.widths=(8,8)"),
    Case("width 0 of the critic", f"{ECC} --config.critic.widths=(8,0,8)"),
    Case("period that is not a multiple of a call", f"{QUICKSTART} --config.log_every=7"),
    Case("profile that ends before it begins", f"{ECC} --config.profile=(3,2)"),
    Case("no samples to look at", f"{ECC} --config.sample_images=0"),
    Case("no checkpoint to keep", f"{ECC} --config.checkpoints_to_keep=0"),
    Case("unknown network", f"{ECC} --config.eval.network=vgg"),
    Case("structure of images that are not procedural", f"{ECC} --config.eval.network=structure"),
    Case("unknown protocol", f"{ECC} --config.eval.protocol=tiny"),
    Case("unknown split", f"{ECC} --config.eval.split=valid"),
    Case("unknown statistics", f"{ECC} --config.eval.batch_norm=none"),
    Case("unknown format of samples", f"{ECC} --config.show.format=jpg"),
    Case("EMA of a run without one", f"{ECC} --config.show.ema=True"),
    Case("checkpoint that is neither a name nor a number", f"{ECC} --config.checkpoint=last"),
)


def create_file(directory: Path) -> None:
    (directory / "file").write_text("")


PLACES = (
    Case("file as workdir", f"{QUICKSTART} --workdir={{dir}}/file", create_file),
    Case("samples without a run", f"{QUICKSTART} --mode=sample --workdir={{dir}}/run"),
    Case("workdir below a file", f"{QUICKSTART} --workdir={{dir}}/file/run", create_file),
    Case("scoring without a run", f"{QUICKSTART} {EVALUATE} --workdir={{dir}}/run"),
    Case("batch that the devices cannot split", f"{QUICKSTART} --config.batch_size=3"),
)


def tfds_images(shape: tuple[int, int, int], count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def tfds(
    shape: tuple[int, int, int] = (32, 32, 3),
    train: int = 40,
    test: int = 8,
    classes: Sequence[int] = (0,),
) -> Callable[[Path], Path]:
    """Return a function that prepares a TFDS data set "cifar10" of random images.

    That function takes a directory and returns the training split's file.

    Args:
        train, test: sizes of the splits.
        classes: labels of the images, in rotation.
    """

    def make(directory: Path) -> Path:
        import tensorflow_datasets as tfds

        examples = [
            (n, {"id": f"{n}", "image": image, "label": classes[n % len(classes)]})
            for n, image in enumerate(tfds_images(shape, train + test))
        ]
        features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=shape),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        tfds.disable_progress_bar()
        tfds.dataset_builders.store_as_tfds_dataset(
            name="cifar10",
            version="3.0.2",
            data_dir=directory,
            features=tfds.features.FeaturesDict(features),
            split_datasets={"train": examples[:train], "test": examples[train:]},
        )
        return next(directory.glob("cifar10/3.0.2/*train*"))

    return make


def flipped_record(directory: Path) -> None:
    path = tfds()(directory)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_record(directory: Path) -> None:
    path = tfds()(directory)
    path.write_bytes(path.read_bytes()[:-100])


def missing_record(directory: Path) -> None:
    tfds()(directory).unlink()


def empty_split(directory: Path) -> None:
    folder = tfds(test=1)(directory).parent
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    for split in info["splits"]:
        if split["name"] == "test":
            split["shardLengths"] = ["0"]
    path.write_text(json.dumps(info))
    next(folder.glob("*test*")).write_bytes(b"")


def corrupted_description(directory: Path) -> None:
    (tfds()(directory).parent / "dataset_info.json").write_text("{")


PREPARED = f"{ECC} --config.data.dir={{dir}} --workdir={{dir}}/run"

DATA = (
    Case("data directory that does not exist", f"{ECC} --config.data.dir=/nowhere"),
    Case("data directory without data", PREPARED),
    Case("no data and no network", f"{ECC} --workdir={{dir}}/run"),
    Case("byte of a record file flipped", PREPARED, flipped_record),
    Case("record file cut off", PREPARED, cut_record),
    Case("record file missing", PREPARED, missing_record),
    Case("description damaged", PREPARED, corrupted_description),
    Case("images of another size", PREPARED, tfds((28, 28, 3))),
    Case("grey images", PREPARED, tfds((32, 32, 1))),
    Case("images with alpha", PREPARED, tfds((32, 32, 4))),
    Case("empty split", PREPARED, empty_split),
    Case("fewer images than the batch", PREPARED, tfds(train=8)),
    Case(
        "fewer procedural images than the batch",
        f"{QUICKSTART} --config.data.twins.num_train=8 --workdir={{dir}}/run",
    ),
)


def folder(last: Callable[[Path], object] | None, size: int = 32) -> Callable[[Path], object]:
    """Return a function that creates 4,999 valid images, and a file by calling `last`."""

    def make(directory: Path) -> None:
        images = directory / "images"
        images.mkdir()
        Image.new("RGB", (size, size)).save(images / "0000.png")
        for number in range(1, 4999):
            os.link(images / "0000.png", images / f"{number:04}.png")
        if last:
            last(images / "9999.png")

    return make


def truncated_image(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-1000])


def image(mode: str, size: int = 32) -> Callable[[Path], object]:
    return lambda path: Image.new(mode, (size, size)).save(path)


SCORE = " ".join([*SMALL, EVALUATE, "--images={dir}/images", "--workdir={dir}/run"])

FOLDERS = (
    Case("folder that does not exist", SCORE),
    Case("too few images", SCORE, folder(None)),
    Case("text among images", SCORE, folder(lambda path: path.write_text("not an image"))),
    Case("folder among images", SCORE, folder(Path.mkdir)),
    Case("image cut off", SCORE, folder(truncated_image)),
    Case("grey image", SCORE, folder(image("L"))),
    Case("image with alpha", SCORE, folder(image("RGBA"))),
    Case("image of another size", SCORE, folder(image("RGB", 16))),
    Case("images of a size that the network does not accept", SCORE, folder(image("RGB", 16), 16)),
)


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
        (step / FORMAT_FILE).write_text(f"{FORMAT + 1}\n")
        checksums.write_checksums(step)


def foreign_checkpoints(directory: Path) -> None:
    for step in (directory / "run" / "checkpoints").iterdir():
        (step / checksums.FILE).unlink()
        (step / "model.bin").write_bytes(b"\0" * 100)


def all_corrupted(directory: Path) -> None:
    for step in (directory / "run" / "checkpoints").iterdir():
        (step / "_CHECKPOINT_METADATA").unlink()


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
SECTIONS = {
    "Command line": COMMAND_LINE,
    "Fields": FIELDS,
    "Places and devices": PLACES,
    "Data": DATA,
    "Folders of images": FOLDERS,
    "Checkpoints and weights": CHECKPOINTS,
}
