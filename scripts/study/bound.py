"""Replaces itself by a command that is bound to a core and to the life of the process above it.

    python -m scripts.study.bound CORE PARENT COMMAND...

PARENT is the number of the process that starts it: when that ends, however it does, the command is
killed. Linux only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main(core: str, parent: str, *command: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == int(parent):  # else it has ended already
        os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
