"""What was believed of an arm before the trial: a normal distribution on the logarithm of a ratio.

The ratio is of odds for a proportion, of hazards for a time to event, of rates for a rate; its sign is turned so that
a positive mean is an arm that does better. The four that have a name come from trials published in full:

- `redesign`, a redrawn letter against the present one: 17.5 to 18.9 in 100, the mean of 126 trials of two government
  units (DellaVigna & Linos 2022, Econometrica 90, 81-116), is 0.094 in log odds; their spread between trials is at
  most some 0.24;
- `norm`, a line with a social norm added: 27.7 to 29.1 in 100 is 0.07 (Antinyan & Asatryan 2025, Economic Journal),
  with signs of selective reporting;
- `reminder`, a letter against none: 25 to 27.7 in 100 is 0.14 (the same);
- `eyes`, a sign with a pair of eyes, on the logarithm of a ratio of counts: from no effect (Northover and others 2017)
  to a third fewer (Dear and others 2019), so a wide one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from nudge.experiment.fields import LARGEST_NUMBER, refusal


@dataclass(frozen=True, slots=True)
class PriorBelief:
    """Normal with `mean` and `sd` above 0, positive where the arm does better; `name` is `stated` where it has none."""

    name: str
    mean: float
    sd: float

    @property
    def written(self) -> str | list[float]:
        """As the file says it."""
        return [self.mean, self.sd] if self.name == STATED else self.name


STATED: Final = "stated"
PRIORS: Final[Mapping[str, PriorBelief]] = {
    belief.name: belief
    for belief in (
        PriorBelief("redesign", 0.10, 0.20),
        PriorBelief("norm", 0.05, 0.15),
        PriorBelief("reminder", 0.15, 0.20),
        PriorBelief("eyes", 0.15, 0.35),
    )
}


def _prior(value: Any) -> PriorBelief:
    if isinstance(value, PriorBelief):
        return value
    if isinstance(value, str) and value in PRIORS:
        return PRIORS[value]
    numbers = value if isinstance(value, list) else ()
    if len(numbers) != 2 or any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in numbers):
        raise refusal("PRIOR_ILL_FORMED")
    mean, sd = (float(one) for one in numbers)
    if not (0 < sd <= LARGEST_NUMBER and abs(mean) <= LARGEST_NUMBER):
        raise refusal("PRIOR_ILL_FORMED")
    return PriorBelief(STATED, mean, sd)


Prior = Annotated[
    PriorBelief,
    PlainValidator(_prior),
    PlainSerializer(lambda belief: belief.written, return_type=str | list[float]),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(PRIORS)},
                {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
            ]
        }
    ),
]
"""One of the names, or `[mean, sd]`."""
