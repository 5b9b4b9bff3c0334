"""Every sign of an experiment drawn once before anything is put up: what would refuse it is known by then (I4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from nudge.base.errors import Problem, Refused
from nudge.documents.sample import of_nobody, sample_spec
from nudge.documents.sign import SignSpec, check_sign, draw_sign, sign_reference
from nudge.documents.templates import TemplateFolder
from nudge.experiment.sites import SiteExperiment

_REFERENCE: Final = sign_reference(bytes(32), "proof", "proof")


def faults_of_signs(
    experiment: SiteExperiment,
    folder: TemplateFolder,
    *,
    claims: Mapping[str, str],
    council: Mapping[str, str] | None = None,
    sheets: Iterable[tuple[str, str]] | None = None,
) -> tuple[Problem, ...]:
    """What is wrong with the signs, each at its template: on the experiment's own sheet, or on each size and
    orientation of `sheets`. Without a `council` an invented one puts them up."""
    own = (experiment.sites.size, experiment.sites.orientation)
    found: list[Problem] = []
    for template in dict.fromkeys(arm.sign for arm in experiment.arms if arm.sign):
        for size, orientation in sorted({own} if sheets is None else set(sheets)):
            spec = SignSpec(
                reference=_REFERENCE,
                template=template,
                site="proof",
                size=size,
                orientation=orientation,
                preset=experiment.sites.preset,
                council=sample_spec(folder, template).council if council is None else council,
                claims=claims,
                details=experiment.details,
            )
            try:
                wrong = check_sign(draw_sign(spec, folder), spec, folder)
            except Refused as refusal:
                wrong = refusal.problems
            found += (of_nobody(problem, spec) for problem in wrong)
    return tuple(dict.fromkeys(found))
