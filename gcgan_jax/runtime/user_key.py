"""A secret key of the user, by which a program recognises its own files where others may write."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from gcgan_jax.errors import UserError
from gcgan_jax.regular_files import open_regular

DIRECTORY = "~/.cache/gcgan_jax"
FILE = "key"
BYTES = 32


def user_key(directory: str = DIRECTORY) -> bytes:
    """Return the key in the user's own cache directory, created on first use.

    Raises:
        UserError: there is no home directory, or the key cannot be created, read or trusted; the
            message is short enough to be given as a reason.
    """
    try:
        path = Path(directory).expanduser() / FILE
        with suppress(FileNotFoundError):
            return _read(path)
        _create(path)
        return _read(path)
    except RuntimeError:
        raise UserError("the home directory is unknown") from None
    except OSError as error:
        raise UserError(f"no key in {directory}: {error.strerror}") from None


def sign(key: bytes, *parts: bytes) -> str:
    """Return 32 hex digits that only the holder of the key can compute for these parts."""
    signature = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        signature.update(len(part).to_bytes(8, "little"))
        signature.update(part)
    return signature.hexdigest()[:32]


def owned_alone(status: os.stat_result) -> bool:
    """Whether the user owns a file that no one else can write; true where there are no owners."""
    return not hasattr(os, "geteuid") or (
        status.st_uid == os.geteuid() and not status.st_mode & 0o022
    )


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        status = os.fstat(file.fileno())
        key = file.read(BYTES + 1)
    if not owned_alone(status) or (hasattr(os, "geteuid") and status.st_mode & 0o077):
        raise UserError(f"{path} is open to others: remove it")
    if len(key) != BYTES:
        raise UserError(f"{path} is no key: remove it")
    return key


def _create(path: Path) -> None:
    """Create the key, whole or not at all; another process may create it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{FILE}.{secrets.token_hex(8)}.gcgan.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(BYTES))
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
