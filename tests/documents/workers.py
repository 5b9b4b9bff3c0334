"""Work for the tests of the crew: a module of its own, so that a new process has little to import."""

from __future__ import annotations

import os
import signal

from nudge.base.errors import EnvironmentFault


def double_or_die(items):
    """13 kills the process it is in, as a crash in a library would."""
    if 13 in items:
        os.kill(os.getpid(), signal.SIGKILL)
    return [2 * item for item in items]


def refuse_seven(items):
    """7 finds the disk full."""
    if 7 in items:
        raise EnvironmentFault(message="the disk is full")
    return list(items)
