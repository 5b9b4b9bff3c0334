"""Randomised trials of letters and signs: `nudge.analyse(plan, data)` for one, `nudge.open_trial(…)` to run one.

Each name is loaded from its module when it is first used, so `import nudge` stays quick. Inside the package nothing
imports from here.
"""

from __future__ import annotations

import importlib
from typing import Any

from nudge._version import __version__

_HOME = {
    "Design": "nudge.allocation.design",
    "Estimate": "nudge.uplift.estimate",
    "Listed": "nudge.trial.gate",
    "Measure": "nudge.uplift.estimate",
    "NudgeError": "nudge.base.errors",
    "Refused": "nudge.base.errors",
    "Trial": "nudge.trial.handle",
    "UnitTable": "nudge.uplift.units",
    "Workspace": "nudge.workspace",
    "add_responses": "nudge.trial.responses",
    "amend_trial": "nudge.trial.sealing",
    "analyse": "nudge.trial.recorded",
    "analyse_outcome": "nudge.uplift.analysis",
    "check_file": "nudge.trial.checking",
    "close_trial": "nudge.trial.closing",
    "confirm_posting": "nudge.trial.posting",
    "correct_posting": "nudge.trial.posting",
    "draw": "nudge.allocation.schemes",
    "enrol": "nudge.trial.enrolment",
    "erase": "nudge.trial.closing",
    "estimate": "nudge.trial.analysis",
    "hold": "nudge.trial.posting",
    "load": "nudge.experiment.loader",
    "make_batch_letters": "nudge.trial.letters",
    "make_workspace": "nudge.workspace",
    "open_trial": "nudge.trial.handle",
    "open_workspace": "nudge.workspace",
    "pool": "nudge.uplift.pooling",
    "record_beacon": "nudge.trial.sealing",
    "reprint": "nudge.trial.reprints",
    "seal_trial": "nudge.trial.sealing",
    "undo_batch": "nudge.trial.posting",
    "verify_trial": "nudge.trial.closing",
    "write_report": "nudge.trial.analysis",
}
__all__ = ["__version__", *_HOME]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
