"""What a draw balanced, as the report's notes tell it: what leads is adjusted for these, and not for others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nudge.experiment.definition import LiveExperiment
from nudge.trial.population import Population


def balance_notes(experiment: LiveExperiment, population: Population) -> Iterator[str]:
    """What the headlines are adjusted for because the draw balanced it, and which declared covariates are left out."""
    design, declared = experiment.design, experiment.analysis.covariates
    if design.method == "pairs" and declared:
        yield f"Pairs are compared within themselves; no estimate is adjusted for {_listed(declared)}."
    if not population.balanced:
        return
    balanced = design.covariates if design.method == "rerandomised" else design.strata
    yield f"The draw balanced {_listed(balanced)}: the first estimate of each outcome is adjusted for that."
    left = [name for name in declared if name not in balanced]
    if left and experiment.analysis.adjust != "headline":
        yield (
            f"No estimate is adjusted for {_listed(left)}, named under analysis.covariates: the draw did not balance "
            "that, and the sealed plan does not say `adjust: headline`."
        )


def _listed(names: Sequence[str]) -> str:
    """Names in the order declared: a, b and c."""
    return " and ".join([part for part in (", ".join(names[:-1]), names[-1]) if part])
