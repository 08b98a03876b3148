"""Errors, as the program tells them: in one line each."""

import errno

OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory")  # as XLA says it


class UserError(Exception):
    """What a user can mend: one line that names the field, its value and the remedy."""


class NotFiniteError(UserError):
    """A number of the training is NaN or infinite."""


def one_line(error: Exception) -> str:
    """What happened, and the remedy if there is a known one."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return _of_system(error)
    told = (str(error).strip() or "no message").splitlines()[0]
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in OUT_OF_MEMORY):
        return (
            f"out of memory ({told}): lower config.batch_size or config.generator.width, or take "
            "more devices"
        )
    return (
        f"{type(error).__name__}: {told}. This is a fault of the program: --verbose_errors shows "
        "where, please report it"
    )


def _of_system(error: OSError) -> str:
    told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{told}: make room, then start the same command again; it goes on where it can"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{told}: choose a place that can be written, as with --workdir=DIR"
    return told
