"""What is kept of points at which fields are asked, wherever they lie: factors of functions and of their rates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from functools import reduce as fold
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from .. import interop
from ..dictionary import AbstractDictionary
from ..interop import ForeignModel
from ..linalg import TriangularFactor, relative_spectrum
from ..sampling import Moments, Numbered, Stream
from ._conserved_changing import Changing
from ._conserved_family import Family, check_finite, on_rows
from ._reduce import batch_size

NULL = 1e-10  # singular value of the functions' spread, of the largest, below which a combination is constant
_FLAT = 1e-13  # spread of a function, of its size, that is rounding
_ROUNDING = 32.0  # units in the last place that a sum of a few dozen terms may lose


@dataclass(frozen=True, eq=False)
class Along:
    """Points and fields there, reduced: a monoid, with `empty`, `absorb` a batch, `merge` two.

    Fields: `values`, factor of [1, h], functions in standard units; of each field `rates`, factors of Dh U, U in
        standard units, and `sizes`, of what these sum, |Dh| |U|; `speed` (k,), sums of |U|^2.
    """

    values: TriangularFactor
    rates: tuple[TriangularFactor, ...]
    sizes: tuple[TriangularFactor, ...]
    speed: Float[np.ndarray, " fields"]

    @classmethod
    def empty(cls, functions: int, fields: int) -> "Along":
        none = (TriangularFactor.empty(functions),) * fields
        return cls(TriangularFactor.empty(1 + functions), none, none, np.zeros(fields))

    def absorb(
        self,
        family: Family,
        x: Float[np.ndarray, "B n"],
        u: Float[np.ndarray, "fields B n"],
        names: tuple[str, ...],
        first: int = 0,
    ) -> "Along":
        """With further points x and velocities u there, x[0] being row `first` of all."""
        gradients, values = family.gradients(x), family.values(x)
        for found in (gradients, values):
            check_finite(found, family.dictionary, names, x, first)
        speed = u / family.scale
        square = np.sum(speed**2, axis=2)
        size = np.linalg.norm(gradients, axis=2)
        rates = np.einsum("ndi,kni->knd", gradients, speed)
        sizes = size * np.sqrt(square)[:, :, None]
        return Along(
            self.values.absorb(np.concatenate([np.ones((len(x), 1)), values], axis=1)),
            tuple(mine.absorb(rows) for mine, rows in zip(self.rates, rates, strict=True)),
            tuple(mine.absorb(rows) for mine, rows in zip(self.sizes, sizes, strict=True)),
            self.speed + square.sum(axis=1),
        )

    def merge(self, other: "Along") -> "Along":
        """With the points of another."""
        return Along(
            self.values.merge(other.values),
            tuple(map(TriangularFactor.merge, self.rates, other.rates)),
            tuple(map(TriangularFactor.merge, self.sizes, other.sizes)),
            self.speed + other.speed,
        )

    @property
    def _varying(self) -> Float[np.ndarray, "r D"]:
        """The factor of h - mean h; exactly zero for functions of which rounding alone varies."""
        factor = self.values.factor[:, 1:]
        varying = factor[1:]  # the first row takes all that constants explain
        lengths, spread = np.linalg.norm(factor, axis=0), np.linalg.norm(varying, axis=0)
        return np.where(spread > _FLAT * lengths, varying, 0.0)

    def changing(self, error: float) -> Changing:
        """rho(c) = |DI U| / (omega |I - mean I|) over the points, I = c . h, omega the rms of |U| in standard units.

        The share of its own spread by which a function changes in the time that states take for theirs. Of several
        fields the squares are added.

        Arguments: `error`, the relative error of the fields, by which defects are not told from zero, over rounding.
        Returns: Changing.
        """
        omega = np.sqrt(self.speed / self.values.rows)
        rates, sizes = (
            [TriangularFactor(one.factor / each, one.rows) for one, each in zip(factors, omega, strict=True)]
            for factors in (self.rates, self.sizes)
        )
        numerator = fold(TriangularFactor.merge, rates).factor
        denominator = self._varying
        spectrum = relative_spectrum(numerator, denominator, NULL)
        # What rounding of single terms makes of a sum that is zero.
        lost = np.linalg.norm(fold(TriangularFactor.merge, sizes).factor @ np.abs(spectrum.directions).T, axis=0)
        spread = np.linalg.norm(denominator @ spectrum.directions.T, axis=0)
        rounding = _ROUNDING * np.finfo(float).eps * np.maximum(lost / spread, spectrum.values.max(initial=1.0))
        return Changing(
            numerator,
            denominator,
            spectrum.values,
            spectrum.directions,
            spectrum.null,
            np.hypot(rounding, error),
            np.full(len(spectrum.values), error**2),
        )


def along_fields(
    family: Family, x: Float[np.ndarray, "N n"], u: Float[np.ndarray, "fields N n"], names: tuple[str, ...]
) -> Along:
    """All of it at once: points `x` and velocities `u` along fields, none of them zero everywhere."""
    return Along.empty(family.dictionary.size, len(u)).absorb(family, x, u, names)


class Walked(NamedTuple):
    """What is kept of the states at which one field is asked, and some of these states, by number."""

    along: Along
    states: Float[np.ndarray, "k n"]

    def merge(self, other: "Walked") -> "Walked":
        return Walked(self.along.merge(other.along), np.concatenate([self.states, other.states]))


@dataclass(frozen=True, eq=False)
class Walk:
    """What reduces states of a stream, or of one after another piece of a table, compiled once.

    Fields: `U`, the field; `family`; `names` of columns; `kept` (k,), the numbers of the states that are kept.
    """

    U: Callable | ForeignModel
    family: Family
    names: tuple[str, ...]
    kept: Int[np.ndarray, " k"]

    def over(self, x: Stream) -> Walked:
        """All states of a stream."""
        numbers = (x.width + 2) * self.family.dictionary.size
        size = batch_size(x.rows if x.pieces is None else x.pieces.largest, numbers)
        return x.over(self.reduced, Walked.merge, size, self._asked if jax.process_count() > 1 else None)

    def reduced(self, batches: Numbered) -> Walked:
        """Of batches of states, with the number of the first of each."""
        found, states = Along.empty(self.family.dictionary.size, 1), [np.zeros((0, len(self.names)))]
        for first, x in batches:
            found = found.absorb(self.family, x, self._velocities(x, first)[None], self.names, first)
            states.append(x[self.kept[(self.kept >= first) & (self.kept < first + len(x))] - first])
        return Walked(found, np.concatenate(states))

    @cached_property
    def _field(self) -> Callable[[np.ndarray], np.ndarray]:
        if isinstance(self.U, ForeignModel):
            return self.U.values
        U = self.U
        if self._is_numpy:
            return lambda x: np.stack([np.asarray(U(row), np.float64) for row in x])
        compiled = jax.jit(jax.vmap(U))
        return lambda x: on_rows(compiled, x)

    @property
    def _is_numpy(self) -> bool:
        return not isinstance(self.U, ForeignModel) and interop.is_numpy(self.U, np.empty((1, len(self.names))))

    def _velocities(self, x: np.ndarray, first: int) -> Float[np.ndarray, "B n"]:
        """The field at states, checked."""
        found = self._field(x)
        if found.shape != x.shape:
            raise ValueError(
                f"system: a field gives one velocity a column, ({x.shape[1]},) for one state; it gave shape"
                f" {found.shape[1:]}."
            )
        if not np.isfinite(found).all():
            row = int(np.argwhere(~np.isfinite(found).all(axis=1))[0, 0])
            raise ValueError(f"system is not finite at row {first + row} of x, {x[row]}. Leave such rows out.")
        return np.asarray(found, np.float64)

    @property
    def _asked(self) -> dict[str, str]:
        """On what processes must agree."""
        dictionary = self.family.dictionary
        asked = interop.version_mark() | {
            "names": ", ".join(self.names),
            "dictionary": ", ".join(dictionary.texts(self.names)),
        }
        return asked if self._is_numpy else asked | interop.program_mark("system", self.U, len(self.names))


def walked(
    U: Callable | ForeignModel, x: Stream, dictionary: AbstractDictionary, where: Moments, kept: np.ndarray
) -> tuple[Family, Walked]:
    """A field along the states of a stream, which can be read again.

    Arguments: `U`, the field; `x`; `dictionary`; `where` the states lie; `kept` (k,), numbers of states to be kept.
    Returns: the functions in standard units, and what is kept.
    Raises: ValueError for a field of another shape, for NaN, and for a field that is zero at all points.
    """
    family = Family.about(dictionary, where)
    found = Walk(U, family, x.names, kept).over(x)
    if not found.along.speed.any():
        raise ValueError("system is zero at every row of x: everything is conserved there. Give other states.")
    return family, found
