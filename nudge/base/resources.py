"""Where the templates and experiments that come with nudge lie."""

from __future__ import annotations

from pathlib import Path


def resources() -> Path:
    """The folder that holds `templates/` and `experiments/`: inside an installed wheel, else the repository."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_data"
    return packed if packed.is_dir() else package.parent
