"""Opens data sets that TensorFlow Datasets (TFDS) has prepared, or lets it download them."""

import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gcgan_jax.data.tfds_description import INFO, check_prepared
from gcgan_jax.errors import UserError
from gcgan_jax.paths import local_path

MAX_REASON = 200  # characters of a message from TFDS


@dataclass(frozen=True)
class Source:
    """A data set of TFDS.

    Attributes:
        name: its name, or NAME/CONFIG.
        title: what messages call it.
        host: where it is downloaded from.
        directory: prepared TFDS directory; None: the TFDS default, filled by a download.
    """

    name: str
    title: str
    host: str
    directory: str | None

    @property
    def path(self) -> Path:
        """The TFDS directory."""
        default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
        return Path(self.directory) if self.directory else local_path(default, "TFDS_DATA_DIR")

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn all errors into UserErrors of one line."""
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # TFDS and TensorFlow raise many types for corrupted files
            message = re.sub(r"\{\{.*?\}\}|\[Op:.*", "", str(error)).strip()  # without op names
            reason = message.splitlines()[0][:MAX_REASON] if message else type(error).__name__
            raise UserError(
                f"{self.title} in {self.path} cannot be read ({reason}): prepare it again, or set "
                "--config.data.dir=DIR to another directory"
            ) from error

    def open(self) -> Any:
        """Return its builder, after a download if it is not prepared and no directory is set.

        Raises:
            UserError: the data are missing and cannot be downloaded, or TensorFlow or TFDS is not
                installed; or as for `check_prepared`.
        """
        stored = self._stored()
        if stored:
            check_prepared(stored)
        elif self.directory:
            raise UserError(
                f"config.data.dir = {self.directory!r} contains no prepared TFDS data set "
                f"{self.name!r}: set --config.data.dir=DIR to a prepared directory, or leave it "
                "unset to download"
            )
        tfds = self._import_tfds()
        if not stored:
            self._require_known(tfds)
            self._require_network()
        with self.readable():
            if not stored:
                tfds.builder(self.name, data_dir=str(self.path)).download_and_prepare()
            # Read with the stored metadata: with TFDS's, smaller images would be padded silently.
            return tfds.builder_from_directory(str(stored or self._stored()))

    def _stored(self) -> Path | None:
        """Return the directory of the newest prepared version."""
        descriptions = self.path.glob(f"{self.name}/*/{INFO}")
        return max((description.parent for description in descriptions), default=None)

    def _import_tfds(self) -> Any:
        """Import TFDS, and TensorFlow without accelerators, which takes seconds."""
        try:
            import tensorflow as tf
            import tensorflow_datasets as tfds
        except ImportError as error:
            raise UserError(
                f"{self.title} cannot be read ({error}): install TensorFlow and "
                "tensorflow-datasets, or set --config.data.name=npz to read a file that was made "
                "with them"
            ) from error
        for kind in ("GPU", "TPU"):  # reserved for JAX
            tf.config.set_visible_devices([], kind)
        return tfds

    def _require_known(self, tfds: Any) -> None:
        known, name = tfds.list_builders(with_community_datasets=False), self.name.split("/")[0]
        if name not in known:
            close = get_close_matches(name, known, 1)
            remedy = f"did you mean {close[0]!r}?" if close else "see tensorflow.org/datasets"
            raise UserError(f"{self.title} is unknown to TFDS: {remedy}")

    def _require_network(self) -> None:
        """Raise UserError within seconds without a network; TFDS would retry for minutes."""
        try:
            urllib.request.urlopen(urllib.request.Request(self.host, method="HEAD"), timeout=10)
        except OSError as error:
            raise UserError(
                f"{self.title} is not in {self.path} and cannot be downloaded ({error}): set "
                "--config.data.dir=DIR to a prepared TFDS directory, or run "
                "--config=configs/quickstart.py, which generates its images"
            ) from None
