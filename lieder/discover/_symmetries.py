"""The one record that every discovery returns."""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from .. import report
from ..action import (
    AbstractAction,
    AbstractFibreAction,
    Measured,
    remembering,
    total,
    velocities,
)
from ..algebra import LieAlgebra, Span
from ..files import read_record, write_record
from ..interop import ForeignModel
from ..late import sympy
from ..sampling import Table, checked_flag
from ._certificate import Certificate
from ._conserved_record import Conserved
from ._evidence import Evidence
from ._explored import readings
from ._found import EXACT
from ._invariants import invariants
from ._reported import columns, plain, reported, shown, told
from ._sparsify import NEGLIGIBLE, orientation, printable, simple_basis
from ._storage import FORMAT, read_fields, written_fields
from ._summary import field_figure, orbit_figure, text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Symmetries:
    """What was found: how many symmetries, which, and how sure.

    Fields:
        source, target: the candidates' action on inputs and on outputs (target None for a point cloud), q generators.
        dim: number of symmetries; 0 unless `evidence.verdict` is "symmetries".
        defects: (k,) relative defects, ascending, in [0, sqrt 2]: 0 is an exact symmetry.
        directions: (k, q) the generator that belongs to each defect, rows of unit norm.
        ineffective: (q - k, q) candidates that do not move the data at all; they are no symmetries and no violations.
        evidence: what decided the answer.
        algebra: the found symmetries as a Lie algebra, with structure constants measured on the data.
        basis: (dim, q) the generators that `algebra` and `action` are built on: those found, cleaned where they were
            measured with noise (moved to the nearest closed algebra, and to simple coefficients, as far as the evidence
            allows).
        numerator, denominator: triangular factors; the relative defect of xi is |numerator xi| / |denominator xi|.
        rows: number of equations behind them.
        points, values: held-out examples (k, n) and the model's outputs (k, m), for checks and figures.
        names: of the columns of inputs and outputs; units: theirs, as the file had them, or ().
        method: how it was found, in words.
        lifted: outputs move as inputs make them move (velocities, displacements), so that only the fields on inputs
            are written.
        certificate: what holds to within delta with a confidence of 1 - alpha, where it was asked for, else None.
        model: the one that was judged, where there is one, for the page of `report`; no file holds it.
    """

    source: AbstractAction
    target: AbstractFibreAction | None
    dim: int
    defects: Float[np.ndarray, " k"]
    directions: Float[np.ndarray, "k q"]
    ineffective: Float[np.ndarray, "i q"]
    evidence: Evidence
    algebra: LieAlgebra | Span
    basis: Float[np.ndarray, "dim q"]
    numerator: Float[np.ndarray, "r q"]
    denominator: Float[np.ndarray, "s q"]
    rows: int
    points: Float[np.ndarray, "held n"]
    values: Float[np.ndarray, "held m"]
    names: tuple[str, ...]
    method: str
    lifted: bool = False
    units: tuple[str, ...] = ()
    certificate: Certificate | None = None
    model: Callable | ForeignModel | None = None

    @property
    def symmetric(self) -> Float[np.ndarray, "a q"]:
        """Generators that are symmetries: of the certified space where there is a certificate, else those found."""
        return self._read("symmetric")

    @property
    def broken(self) -> Float[np.ndarray, "b q"]:
        """Generators that are none: certified to be above delta, or of defects `min_gap` times what data resolve."""
        return self._read("broken")

    @property
    def undecided(self) -> Float[np.ndarray, "u q"]:
        """Directions that the data leave open, weakly determined ones among them."""
        return self._read("undecided")

    def _read(self, reading: str) -> Float[np.ndarray, "some q"]:
        if self.certificate is not None:
            return self.certificate.read(reading)
        return self.directions[np.array(readings(self), dtype=object) == reading]

    @property
    def generators(self) -> Float[np.ndarray, "dim q"]:
        """The found symmetries: rows of coefficients over the candidates, by ascending defect."""
        return self.directions[: self.dim]

    @property
    def action(self) -> AbstractAction:
        """The found subalgebra acting on inputs: goes straight into enforce and promote."""
        return cast(AbstractAction, self._acting(self.source))

    @property
    def target_action(self) -> AbstractFibreAction:
        """The found subalgebra acting on outputs.

        Raises: ValueError when the data had no outputs."""
        if self.target is None:
            raise ValueError("target_action: a point cloud has no outputs; use .action.")
        return self._acting(self.target)

    def _acting(self, candidates: AbstractFibreAction) -> AbstractFibreAction:
        found = candidates.restrict(self.basis, self.algebra)
        limit = self.evidence.limit(self.defects[: self.dim])
        if limit <= EXACT:
            return found
        factors = self.numerator, self.denominator
        return remembering(found, Measured(candidates, self.basis, *factors, limit, np.asarray(self.points)))

    @property
    def total(self) -> AbstractAction:
        """The candidates acting on inputs and outputs together."""
        return self.source if self.target is None else total(self.source, self.target)

    def defect(self, xi: ArrayLike) -> float:
        """The relative defect of any combination of the candidates.

        Arguments: `xi` (q,) coefficients.
        Returns: in [0, sqrt 2]; NaN when the combination does not move the data.
        Raises: ValueError for a wrong length.
        """
        xi = self._coefficients(xi)[0]
        size = np.linalg.norm(self.denominator @ xi)
        return float(np.linalg.norm(self.numerator @ xi) / size) if size > 0 else float("nan")

    def similarity(self, reference: ArrayLike, dim: int | None = None) -> float:
        """How well the found space contains known generators, as the data see them.

        Least cosine of the principal angles between the span of the `reference` and the span of the found generators,
        in the inner product of the denominator: coefficients that do not move the data do not count.

        Arguments: `reference` (q,) or (r, q), perhaps dependent; `dim`, how many directions to compare with
            (default: the found ones, at least as many as the reference spans).
        Returns: in [0, 1]; 0 where fewer directions are compared than the reference spans, and some must be missed.
        Raises: ValueError for a wrong length, a reference that does not move the data, or a dim outside 0..k.
        """
        known = self.denominator @ self._coefficients(reference).T
        size = np.linalg.norm(known, axis=0)
        if np.any(size <= 1e-12 * np.linalg.norm(self.denominator)):
            raise ValueError("reference holds a generator that does not move the data at all; leave it out.")
        left, s, _ = np.linalg.svd(known / size, full_matrices=False)
        q_known = left[:, s > 1e-9 * s[0]]
        rank, most = q_known.shape[1], len(self.directions)
        count = min(max(self.dim, rank), most) if dim is None else dim
        if not 0 <= count <= most:
            raise ValueError(f"dim must lie in 0..{most}, the number of directions that move the data, got {dim}.")
        if count < rank:
            return 0.0
        q_found = np.linalg.qr(self.denominator @ self.directions[:count].T)[0]
        return float(min(1.0, np.linalg.svd(q_found.T @ q_known, compute_uv=False).min()))

    def _coefficients(self, xi) -> np.ndarray:
        xi = np.atleast_2d(np.asarray(xi, dtype=np.float64))
        if xi.ndim != 2 or xi.shape[1] != self.source.algebra.dim:
            raise ValueError(
                f"expected {self.source.algebra.dim} coefficients, one a candidate generator, got shape {xi.shape}."
            )
        return xi

    def sparse(self) -> Float[np.ndarray, "dim q"]:
        """The found symmetries in the simplest basis that the evidence cannot tell from them.

        Few terms, simple fractions.

        Each row's relative defect, measured, stays below the cut, and below three times the largest accepted one or
        the resolution.

        Returns: (dim, q), largest entry of a row 1 in size.
        """
        return self._sparse.copy()

    @cached_property
    def _sparse(self) -> Float[np.ndarray, "dim q"]:
        limit = self.evidence.limit(self.defects[: self.dim])
        rows = simple_basis(self.basis, self.numerator, self.denominator, limit)
        shown = self.source if self.lifted or self.source.own_coordinates(np.ones(rows.shape[1])) else self.total
        return np.array([row * orientation(shown, row) for row in rows]).reshape(rows.shape)

    def fields(
        self, names: list[str] | tuple[str, ...] | None = None, digits: int = 3, simple: bool = True
    ) -> list[str]:
        """The found symmetries written as vector fields, "x d/dy - y d/dx"; on inputs alone where `lifted`.

        Arguments: `names` of the columns, inputs then outputs (default those of the data); `digits` of coefficients;
        `simple`: of the basis `sparse()` (default) or of `generators` as found.
        Returns: one text a symmetry.
        Raises: ValueError for a wrong number of names; TypeError for `simple` other than True or False.
        """
        names = self._checked_names(names)
        rows = self.sparse() if checked_flag(simple, "simple") else self.generators
        return [self.written(row, names, digits) for row in rows]

    def written(self, xi: ArrayLike, names: list[str] | tuple[str, ...] | None = None, digits: int = 3) -> str:
        """One generator of the candidates as a text, as in `fields`."""
        names = self._checked_names(names)
        shown = slice(0, self.source.width if self.lifted else len(names))
        xi, digits = self.printable(xi, digits)
        if own := self.source.own_coordinates(xi):
            return report.generator_text(own[1], own[0], digits=digits, negligible=NEGLIGIBLE)
        return report.generator_text(
            self.expressions(xi, names)[shown],
            names[shown],
            digits=digits,
            negligible=NEGLIGIBLE,
            scales=self.sizes()[shown],
        )

    def printable(self, xi: ArrayLike, digits: int = 3) -> tuple[Float[np.ndarray, " q"], int]:
        """A generator as it is printed: without coefficients that its digits would hide, as far as its defect allows.

        Arguments: `xi` (q,) coefficients; `digits` asked for.
        Returns: coefficients (q,); digits, more than asked for where these would print another generator.
        """
        limit = self.evidence.limit(self.defects[: self.dim])
        return printable(self._coefficients(xi)[0], digits, self.numerator, self.denominator, limit)

    def expressions(self, xi: ArrayLike, names: list[str] | tuple[str, ...] | None = None) -> "list[sympy.Expr]":
        """The components of one generator's field on inputs and outputs, as sympy expressions in the column names."""
        symbols = [sympy.Symbol(name, real=True) for name in self._checked_names(names)]
        return self.total.symbolic(np.asarray(xi), symbols, symbols)

    def _checked_names(self, names) -> tuple[str, ...]:
        names = self.names if names is None else tuple(names)
        if len(names) != self.total.width:
            raise ValueError(
                f"names must hold {self.total.width} names, inputs then outputs, got {len(names)}: {', '.join(names)}."
            )
        return names

    def sizes(self) -> list[float]:
        """A typical size of each column, the same within a block: at it terms of a field are compared for printing."""
        pairs = self.examples()
        sizes = np.sqrt(np.mean(pairs**2, axis=0)) if len(pairs) else np.ones(self.total.width)
        # Mixed coordinates share a unit and one size: a thin one must not make its coefficients look negligible.
        for group in self.total.unit_groups():
            sizes[group] = max(float(sizes[group].max()), np.finfo(float).tiny)
        return [float(size) for size in sizes]

    def examples(self) -> Float[np.ndarray, "held n"]:
        """Held-out examples, inputs and outputs side by side."""
        if self.target is None:
            return np.asarray(self.points, dtype=np.float64)
        return np.concatenate([self.points, self.values], axis=1).astype(np.float64)

    def displacement(self, xi: ArrayLike) -> Float[np.ndarray, "held n"]:
        """The field of one generator at the examples."""
        return velocities(self.total, np.asarray(xi), self.examples())

    def identify(self) -> str:
        """The name of the found algebra, with a tolerance that follows the defects. See `LieAlgebra.identify`.

        Numbers that are small beside the defects count as zero; if no name comes of it, fewer of them do.
        """
        largest = float(self.defects[: self.dim].max(initial=0.0))
        tolerance = float(np.clip(30 * largest, 1e-6, 0.1))
        names = (self.algebra.identify(tolerance * share) for share in (1.0, 0.1, 0.01, 0.001))
        first = next(names)
        return next((name for name in (first, *names) if not name.startswith("unnamed")), first)

    def plot(self) -> "Figure":
        """The spectrum of defects with the decision drawn in.

        Returns: a matplotlib figure; save it with figure.savefig("spectrum.png")."""
        return report.spectrum_figure(
            np.sort(self.defects),
            self.dim,
            resolution=self.evidence.resolution,
            cut=self.evidence.cut if self.evidence.tolerance is not None else None,
            weak=self.evidence.weak,
        )

    def plot_certificate(self) -> "Figure":
        """What is certified: each direction's defect with its bounds. Raises: ValueError where none was asked for."""
        c = self.certificate
        if c is None:
            raise ValueError("certificate: none was asked for. Call the verb with evidence='certificate'.")
        sizes = {"delta": c.delta, "at_least": c.at_least, "at_most": c.at_most, "weak": c.weak}
        return report.bounds_figure(c.defects, c.lower, c.upper, **sizes)

    def plot_field(self, which: int = 0) -> "Figure":
        """One generator of the simple basis as arrows over held-out examples.

        Arguments: `which`, from 0, in the order of `fields()`.
        Returns: a matplotlib figure.
        Raises: IndexError when there are not so many symmetries.
        """
        return field_figure(shown(self, self._simple(which), f"Symmetry {which + 1}", True), columns(self))

    def plot_orbits(self, which: int = 0) -> "Figure":
        """Orbits t -> exp(t xi) x of a few held-out examples under one generator of the simple basis.

        Arguments: `which`, from 0, in the order of `fields()`.
        Returns: a matplotlib figure.
        Raises: IndexError when there are not so many symmetries; ValueError when every orbit leaves the space.
        """
        orbit = shown(self, self._simple(which), f"Symmetry {which + 1}", True)
        if orbit.orbits is None:
            raise ValueError(f"which={which}: the flow of this generator leaves the space from every example.")
        return orbit_figure(orbit, columns(self))

    def _simple(self, which: int) -> Float[np.ndarray, " q"]:
        if not 0 <= which < self.dim:
            raise IndexError(f"which={which}: {self.dim} symmetries were found, numbered from 0.")
        return self.sparse()[which]

    def plain(self) -> dict[str, Any]:
        """The answer and its evidence as texts, numbers and lists, for JSON.

        Returns: a dict: verdict, dim, fields, generators, defects with what each direction is read as, resolutions,
            and what else print says.
        """
        return plain(self)

    def report(self, path: str | os.PathLike[str], explore: bool | None = None) -> Path:
        """A self-contained HTML page: the answer, its evidence, the generators, what they do to the data, their use.

        Arguments: `path` of the file to write. `explore`: whether examples can be carried along the generators in the
            page, beside the model's values, which adds 5 MB to it; default where plotly is installed
            (`pip install 'lieder[html]'`). Without it the page holds still figures.
        Returns: the path.
        Raises: OSError when the path cannot be written; ImportError for `explore` without plotly.
        """
        return reported(self, path, explore)

    def invariants(self, dictionary: str = "polynomials(2)") -> Conserved:
        """The functions of the inputs that all found symmetries leave as they are.

        Arguments: `dictionary` of functions to combine, or its text as in `conserved`.
        Returns: Conserved, whose defects are judged by those of the symmetries.
        Raises: ValueError where nothing was found, nothing moves the inputs, a column does not vary at the held-out
            examples, or these are fewer than the functions.
        """
        if self.dim == 0:
            raise ValueError("invariants: no symmetry was found, so that there is nothing to be invariant under.")
        inputs = Table(np.asarray(self.points, np.float64), self.names[: self.source.width])
        known = self.evidence.limit(self.defects[: self.dim]), self.evidence.min_gap
        return invariants(self.source, self.sparse(), inputs, dictionary, known)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one .npz file (arrays and JSON, no pickle).

        Candidates of a class, or made of functions, of your own are not in the file: pass them to `load`. A reader
        finds the old file or the new one, whenever it looks.

        Raises: OSError for a bad path."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "model"}
        return write_record(path, written_fields(own), FORMAT)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        source: AbstractAction | None = None,
        target: AbstractFibreAction | None = None,
    ) -> "Symmetries":
        """Read what `save` wrote.

        Arguments: `path`; `source`, `target`: the candidates' actions where they are of a class, or made of functions,
            of your own, which no file can hold. They must be as they were.
        Returns: the record.
        Raises: OSError when there is no such file; ValueError when it is another kind of file, when an action is needed
            and not given, and when another is given."""
        plain = read_record(path, FORMAT, "Symmetries.save")
        return cls(**read_fields(plain, path, source, target))

    def __repr__(self) -> str:
        e = self.evidence
        return (
            f"Symmetries(dim={self.dim}, verdict='{e.verdict}', candidates={self.source.algebra.dim}, gap={e.gap:.3g})"
        )

    def __str__(self) -> str:
        return text(told(self))
