"""The certificate of a function that is given: what holds of it is no matter of chance, only of rounding."""

import dataclasses
from collections.abc import Callable

import numpy as np

from ..interop import ForeignModel
from ._certificate import Bounds, Certificate, counted
from ._networks import is_trained
from ._question import CERTIFICATE, Question, Rule
from ._symmetries import Symmetries


def check_exact(question: Question, rule: Rule, model: Callable | ForeignModel, error: float | None, labels) -> None:
    """A ValueError where a certificate was asked for of a model whose error nobody knows."""
    if rule.evidence != CERTIFICATE:
        return
    advice = (
        "Fit its data instead, lieder.discover.dataset(x, y, ..., fit=..., evidence='certificate'), where the error of"
        f" the fit is drawn at random; or give error=, what the derivative of {question.model} may be wrong by, as a"
        " share."
    )
    if labels is not None:
        raise ValueError(
            f"evidence: labels at some points tell how wrong {question.model} is, but not along which directions with a"
            f" confidence. {advice}"
        )
    if error is None and is_trained(model):
        raise ValueError(
            f"evidence: {question.model} was trained, and how its derivative would vary with other data is not known."
            f" {advice}"
        )


def with_exact(found: Symmetries, question: Question, rule: Rule, error: float | None) -> Symmetries:
    """The answer with its certificate, where one was asked for.

    L_xi F and the denominator are those of the function itself but for what its derivative is wrong by, a share of at
    most r of |DF| along every direction: the resolution. By the inequality of Weyl no defect is further than that from
    its own.

    Arguments: `found`, for a model that `check_exact` let pass; `question`, `rule`; `error`, the user's, or None.
    Returns: Symmetries.
    Reference: Weyl (1912), Das asymptotische Verteilungsgesetz der Eigenwerte.
    """
    if rule.evidence != CERTIFICATE:
        return found
    e, k = found.evidence, len(found.defects)
    weak = [i for i in e.weak if i < k]
    order = np.array([*(i for i in range(k) if i not in weak), *weak], int)
    strong = k - len(weak)
    off = e.resolution if error is None else max(e.resolution, error)
    defects = found.defects[order].astype(float)
    lower, upper = np.zeros(k), np.full(k, np.inf)
    lower[:strong], upper[:strong] = np.maximum(defects[:strong] - off, 0.0), defects[:strong] + off
    least, most = counted(Bounds(lower, upper), rule.delta)
    directions = found.directions[order]
    lengths = np.linalg.norm(found.denominator @ directions.T, axis=0) / np.sqrt(max(found.rows, 1))
    stated = Certificate(
        rule.delta, 0.0, least, most, directions, defects, defects, lower, upper, upper, lengths, weak=len(weak)
    )
    known = "" if error is None else f", with a relative error of at most {error:g} as it was given"
    stated = dataclasses.replace(
        stated, rows=found.rows // question.onto.width, family=f"{question.model} itself{known}"
    )
    return dataclasses.replace(found, certificate=stated)
