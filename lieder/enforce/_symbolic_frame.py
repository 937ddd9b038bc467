"""Vector fields with a symmetry by numbers without one: F(x) = sum_k a_k(I(x)) V_k(x)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..action import AbstractAction, scalars, tangent
from ..derivative import values
from ..dictionary import AbstractDictionary
from ..late import sympy
from ._functions import functions

if TYPE_CHECKING:
    from sympy import Expr

_INDEPENDENT = 1e-3  # share of a field, at the data, that those before it must leave, to be taken as one of the frame
_CONSTANT = 1e-9  # relative spread of a function that is a number


@dataclass(frozen=True, eq=False)
class Frame:
    """Invariants and equivariant fields of one symmetry, at the rows and in words.

    Fields: `invariants` (N, r), and `fields` (N, n, K), of which K span as much as the symmetry leaves;
        `invariant_texts` and `field_texts`, as expressions of the columns; `components` (N, K), the a_k that fit dx
        best at each row, and `weights` (N, K), one over the squares of their errors; `missed`, the share of dx that no
        equivariant field can be.
    """

    invariants: Float[np.ndarray, "N r"]
    fields: Float[np.ndarray, "N n K"]
    invariant_texts: "list[Expr]"
    field_texts: "list[list[Expr]]"
    components: Float[np.ndarray, "N K"]
    weights: Float[np.ndarray, "N K"]
    missed: float


def frame(
    symmetry: AbstractAction,
    dictionary: AbstractDictionary,
    x: Float[np.ndarray, "N n"],
    dx: Float[np.ndarray, "N n"],
    names: tuple[str, ...],
) -> Frame:
    """The fields of least length in a dictionary that are equivariant and independent at the rows, and the invariants.

    Raises: ValueError where the dictionary holds no equivariant field.
    """
    features, texts = values(dictionary, x), dictionary.symbols(names)
    equivariant = functions(dictionary, source=symmetry, target=tangent(symmetry))
    if equivariant.dim == 0:
        raise ValueError(
            f"dictionary: none of its fields but zero has the symmetry {symmetry}. Give a dictionary of higher degree,"
            " or other functions."
        )
    simple = equivariant.simple()
    at_rows = np.einsum("kiD,ND->kNi", simple, features)
    taken = _independent(at_rows, np.count_nonzero(simple, axis=(1, 2)))
    fields = np.moveaxis(at_rows[taken], 0, 2)
    inverse = np.linalg.pinv(fields)
    components = np.einsum("NKi,Ni->NK", inverse, dx)
    rest = dx - np.einsum("NiK,NK->Ni", fields, components)
    variance = np.sum(inverse**2, axis=2)
    weights = 1 / np.maximum(variance, np.finfo(float).tiny)
    rows = _invariants(symmetry, dictionary)
    invariants = features @ rows.T
    moving = np.ptp(invariants, axis=0) > _CONSTANT * np.abs(invariants).max(axis=0, initial=0.0)
    words = [_sum(row, texts) for row in rows[moving]]
    spelt = [[_sum(row, texts) for row in simple[k]] for k in taken]
    missed = float(np.sum(rest**2) / max(np.sum(dx**2), np.finfo(float).tiny))
    return Frame(invariants[:, moving], fields, words, spelt, components, weights / weights.mean(axis=0), missed)


def _independent(fields: Float[np.ndarray, "k N n"], terms: np.ndarray) -> list[int]:
    """The fields, shortest first, that are no combinations, with any coefficients at each row, of those before."""
    size = np.sum(fields**2, axis=(1, 2))
    taken: list[int] = []
    n = fields.shape[2]
    span = np.zeros((fields.shape[1], n, 0))
    for k in sorted(range(len(fields)), key=lambda k: (terms[k], k)):
        rest = fields[k] - np.einsum("NiK,NjK,Nj->Ni", span, span, fields[k])
        if np.sum(rest**2) > _INDEPENDENT * size[k] > 0 and len(taken) < n:
            taken.append(k)
            length = np.linalg.norm(rest, axis=1, keepdims=True)
            unit = np.divide(rest, length, out=np.zeros_like(rest), where=length > 0)
            span = np.concatenate([span, unit[:, :, None]], axis=2)
    return taken


def _invariants(symmetry: AbstractAction, dictionary: AbstractDictionary) -> np.ndarray:
    """(r, D) rows of independent invariants of the dictionary, constants among them."""
    found = functions(dictionary, source=symmetry, target=scalars(symmetry.algebra))
    try:
        return found.generators()[:, 0]
    except TypeError:  # products are known of polynomials alone
        return found.simple()[:, 0]


def _sum(row: np.ndarray, texts: "list[Expr]") -> "Expr":
    return sympy.Add(*[_number(c) * text for c, text in zip(row, texts, strict=True) if c])


def _number(value: float) -> "Expr":
    return sympy.Integer(round(value)) if float(value).is_integer() else sympy.Float(value)
