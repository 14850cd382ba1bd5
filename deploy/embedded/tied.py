"""Runs a command that ends when its parent does, however that ends: `python tied.py PARENT COMMAND...`.

Only Linux can promise this. Elsewhere a parent that is killed outright leaves its processes behind.
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
    if os.getppid() == parent:  # it may have died before it was watched
        os.execv(command[0], command)  # noqa: S606
