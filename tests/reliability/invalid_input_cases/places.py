"""Workdirs and devices that cannot be used."""

from pathlib import Path

from tests.reliability.invalid_input_cases.case import EVALUATE, QUICKSTART, Case


def create_file(directory: Path) -> None:
    (directory / "file").write_text("")


PLACES = (
    Case("file as workdir", f"{QUICKSTART} --workdir={{dir}}/file", create_file),
    Case("samples without a run", f"{QUICKSTART} --mode=sample --workdir={{dir}}/run"),
    Case("workdir below a file", f"{QUICKSTART} --workdir={{dir}}/file/run", create_file),
    Case(
        "no home directory",
        f"{QUICKSTART} --workdir=~/run",
        environment={"HOME": "nowhere"},
    ),
    Case(
        "data in a bucket, set by the environment",
        "--config=configs/ecc.py --workdir={dir}/run",
        environment={"TFDS_DATA_DIR": "gs://bucket/data"},
    ),
    Case("scoring without a run", f"{QUICKSTART} {EVALUATE} --workdir={{dir}}/run"),
    Case("batch that the devices cannot split", f"{QUICKSTART} --config.batch_size=3"),
)
