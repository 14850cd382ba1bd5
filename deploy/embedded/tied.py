"""Runs a command that is killed when its parent process ends: `python tied.py PARENT COMMAND...`.

This works on Linux only. Elsewhere the command continues after SIGKILL of its parent.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:  # the parent may have ended before prctl
        os.execv(command[0], command)  # noqa: S606
