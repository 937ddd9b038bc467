"""Units in which a regression is solved: coordinates that some generator mixes share one, others have their own."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from jaxtyping import Float, Int

from ..action import AbstractAction, AbstractFibreAction, FieldAction, without_elements
from ..derivative import values
from ..dictionary import AbstractDictionary, affine
from ..linalg import MatrixStack
from ..sampling import Moments

_HALF = np.sqrt(3.0)  # half the width of a uniform distribution over its standard deviation


@dataclass(frozen=True, eq=False)
class Units:
    """z = (x - centre) / scale for inputs, u = y / outputs for outputs, g = f / sizes for the functions f.

    Inside, everything is about u = V g(z): offsets and units of the user's columns cost no digits and change no answer.

    Fields: `source`, the candidates acting on z; `centre`, `scale` (n,), zero and one where dictionary or source are
        not closed under such changes; `spread` (n,), the unit of each input all the same; `outputs` (m,); `sizes`
        (D,); `back` (D, D), f(z) = back f(x).
    """

    source: AbstractAction
    centre: Float[np.ndarray, " n"]
    scale: Float[np.ndarray, " n"]
    spread: Float[np.ndarray, " n"]
    outputs: Float[np.ndarray, " m"]
    sizes: Float[np.ndarray, " D"]
    back: scipy.sparse.csr_array

    @property
    def reference(self) -> float:
        """The unit of |y|: the geometric mean of those of the outputs."""
        return float(np.exp(np.log(self.outputs).mean()))

    def inside(self, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N n"]:
        """z."""
        return (x - self.centre) / self.scale

    def features(self, dictionary: AbstractDictionary, x: Float[np.ndarray, "N n"]) -> Float[np.ndarray, "N D"]:
        """g(z)."""
        return values(dictionary, self.inside(x)) / self.sizes

    def shown(self, V: Float[np.ndarray, "m D"]) -> Float[np.ndarray, "m D"]:
        """The coefficients of f(z), in the user's outputs."""
        return self.outputs[:, None] * V / self.sizes

    def outside(self, V: Float[np.ndarray, "m D"]) -> Float[np.ndarray, "m D"]:
        """The coefficients of f(x), in the user's outputs."""
        return np.asarray((self.back.T @ self.shown(V).T).T)


def units_of(
    inputs: Moments,
    outputs: Moments,
    sample: Float[np.ndarray, "S n"],
    dictionary: AbstractDictionary,
    source: AbstractAction,
    target: AbstractFibreAction,
) -> Units:
    """The units that the data suggest.

    Inputs: sqrt 3 times the rms of each group of coordinates about its mean, so that columns uniform on [-1, 1] are
    left nearly as they are. Outputs: the rms of each group about its mean. Where dictionary or source are not closed
    under such changes functions are in units of their rms over a `sample` of the inputs.
    """
    middle = inputs.mean
    spread = _HALF * _spreads(inputs, source.unit_groups())
    unit = _spreads(outputs, target.unit_groups())
    # A linear action has an origin of its own: inside the data nothing is gained by another one.
    at_home = source.is_linear and bool(np.all(np.abs(middle) <= spread))
    centre = np.zeros_like(middle) if at_home else middle
    back = dictionary.substitution(-centre / spread, 1.0 / spread)
    if back is None and centre.any():  # functions without a constant, say
        centre = np.zeros_like(middle)
        back = dictionary.substitution(centre, 1.0 / spread)
    moved = _moved(source, centre, spread) if target.is_linear else None
    if back is None or moved is None:
        nothing, one = np.zeros_like(middle), np.ones_like(spread)
        with np.errstate(all="ignore"):
            sizes = np.sqrt(np.mean(values(dictionary, sample) ** 2, axis=0))
        sizes = np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1.0)
        same = scipy.sparse.csr_array(scipy.sparse.eye_array(dictionary.size))
        return Units(source, nothing, one, spread, unit, sizes, same)
    return Units(moved, centre, spread, spread, unit, np.ones(dictionary.size), back)


def _spreads(columns: Moments, groups: tuple[Int[np.ndarray, " _"], ...]) -> Float[np.ndarray, " n"]:
    """The rms about their means of each group of columns that vary; one where nothing does."""
    level = columns.level
    rms = np.where(columns.reach > 1e-13 * level, columns.deviation, 0.0)
    out = np.ones(len(rms))
    for group in groups:
        inside = group[rms[group] > 0]
        if len(inside):
            largest = rms[inside].max()
            out[group] = largest * np.sqrt(np.mean((rms[inside] / largest) ** 2))
        elif level[group].max() > 0:
            out[group] = level[group].max()
    return out


def _moved(
    source: AbstractAction, centre: Float[np.ndarray, " n"], scale: Float[np.ndarray, " n"]
) -> FieldAction | None:
    """The same generators acting on z, where they are polynomial in x; else None."""
    fields = source.expansion
    if fields is None:
        return None
    dictionary = fields.dictionary
    if fields.is_linear and centre.any():
        change = scipy.sparse.csr_array(np.concatenate([np.diag(scale), centre[:, None]], axis=1))
        dictionary = affine(source.width)
    else:
        change = dictionary.substitution(centre, scale)
    if change is None:
        return None
    q, n, _ = fields.generators.shape
    tall = scipy.sparse.csr_array(fields.generators.flat().reshape((q * n, fields.dictionary.size))) @ change
    found = scipy.sparse.coo_array(tall)
    row, column = found.coords
    value = found.data / scale[row % n]
    stack = MatrixStack.from_entries((q, n, dictionary.size), np.stack([row // n, row % n, column]), value)
    return FieldAction(without_elements(source).algebra, stack, dictionary, source.blocks)
