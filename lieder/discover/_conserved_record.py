"""The record of conserved quantities: how many, which, and how sure."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from .. import report
from ..dictionary import AbstractDictionary, sum_text
from ..dictionary import read as read_dictionary
from ..files import check_path, read_record, write_record
from ..sampling import checked_flag, table
from ._conserved_evidence import ConservedEvidence
from ._conserved_page import page
from ._conserved_text import Told, number, plain, text
from ._sparsify import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = "lieder conserved 1"


@dataclass(frozen=True, eq=False, repr=False)
class Conserved:
    """Functions of the state that stay what they are: how many, which, and how sure.

    Fields:
        dictionary: the D functions f that were combined; a found function is I(x) = c . f(x), up to a constant.
        names: of the columns.
        dim: number of independent combinations that are conserved; 0 unless `evidence.verdict` is "conserved".
        independent: how many of them are functionally independent: the others are functions of these.
        basis: (dim, D) coefficients c, few terms and simple fractions where the evidence allows; the first
            `independent` are functionally independent.
        slow: (s, D) functions that do change, but by a small part of what others do.
        defects: (k,) ascending: 0 is conserved, about 1 what changes like anything. For a field, the rate of change
            over the function's spread, in units of the states' own rate; for trajectories, the variation along them
            over the variation between all, noise taken off.
        directions: (k, D) the combination that belongs to each defect.
        spread: (dim + s,) standard deviation of each found function over the data.
        evidence: what decided the answer.
        numerator, denominator: factors; the defect of c is |numerator c| / |denominator c|.
        rows: number of states; trajectories: of trajectories, 0 for an exact field.
        times, states: some of the trajectories, or of the states of a field (one array), thinned, for figures.
        method: how it was found, in words.
        generators: the symmetry that belongs to each function, in words, where they came from `noether`.
    """

    dictionary: AbstractDictionary
    names: tuple[str, ...]
    dim: int
    independent: int
    basis: Float[np.ndarray, "dim D"]
    slow: Float[np.ndarray, "s D"]
    defects: Float[np.ndarray, " k"]
    directions: Float[np.ndarray, "k D"]
    spread: Float[np.ndarray, " found"]
    evidence: ConservedEvidence
    numerator: Float[np.ndarray, "r D"]
    denominator: Float[np.ndarray, "q D"]
    rows: int
    trajectories: int
    times: tuple[np.ndarray, ...]
    states: tuple[np.ndarray, ...]
    method: str
    generators: tuple[str, ...] = ()

    def expressions(self, names: Sequence[str] | None = None, digits: int = 4, slow: bool = False) -> list[str]:
        """The conserved functions written in the columns, "1/2 v^2 - cos(x)"; constants are left out.

        Arguments: `names` (default those of the data); `digits` of coefficients that are no simple fractions; `slow`:
            those that change slowly instead.
        Returns: one text a function.
        Raises: ValueError for a wrong number of names.
        """
        slow = checked_flag(slow, "slow")
        texts = self.dictionary.texts(list(self.names if names is None else names))
        out = []
        for row in self.slow if slow else self.basis:
            limit = self.evidence.limit(self.defects[: max(len(self.basis) + len(self.slow), 1)])
            shown, more = printable(row, digits, self.numerator, self.denominator, limit)
            out.append(sum_text(shown, texts, lambda size, more=more: number(size, more)))
        return out

    def transform(self, x: ArrayLike, slow: bool = False) -> Float[np.ndarray, "N found"]:
        """The values of the found functions at states.

        Arguments: `x` (N, n), columns as those of the data; `slow`: of the slow functions instead.
        Returns: (N, dim), the functionally independent ones first.
        Raises: ValueError for another width, or NaN.
        """
        slow = checked_flag(slow, "slow")
        values = table(x, "x").values
        if values.shape[1] != len(self.names):
            raise ValueError(
                f"x has {values.shape[1]} columns, but the functions are of {len(self.names)}: {', '.join(self.names)}."
            )
        return _values(self.dictionary, values) @ (self.slow if slow else self.basis).T

    def defect(self, coefficients: ArrayLike) -> float:
        """The relative defect of any combination of the dictionary.

        Arguments: `coefficients` (D,).
        Returns: at least 0; NaN where the combination is constant on the data.
        Raises: ValueError for a wrong length.
        """
        c = np.asarray(coefficients, np.float64)
        if c.shape != (self.dictionary.size,):
            raise ValueError(f"coefficients: expected {self.dictionary.size}, one a function, got shape {c.shape}.")
        size = np.linalg.norm(self.denominator @ c)
        whole = np.linalg.norm(np.linalg.norm(self.denominator, axis=0) * c)
        return float(np.linalg.norm(self.numerator @ c) / size) if size > 1e-10 * whole else float("nan")

    def plot(self, trajectories: Sequence[ArrayLike] | None = None, t: Sequence[ArrayLike] | None = None) -> "Figure":
        """The found functions along trajectories, each in units of its spread; least defects where none was found.

        Arguments: `trajectories`, a list of states (T, n), and `t`, a list of their times (default: some of those that
            the answer was found from).
        Returns: a matplotlib figure.
        Raises: ValueError when the answer came from a field and no trajectories are given.
        """
        states = self.states if trajectories is None else tuple(np.asarray(one, np.float64) for one in trajectories)
        if trajectories is None and not self.trajectories:
            raise ValueError(
                "trajectories: the answer came from a field at single states; give trajectories to draw the functions"
                " along, or look at plot_spectrum()."
            )
        times = self.times if trajectories is None else tuple(np.arange(len(one), dtype=float) for one in states)
        times = times if t is None else tuple(np.asarray(one, np.float64) for one in t)
        found = np.concatenate([self.basis, self.slow])
        labels = self.expressions() + [f"slow: {text}" for text in self.expressions(slow=True)]
        spread = self.spread
        if len(found) == 0:
            found, labels = self.directions[:1], ["least defect (not claimed)"]
            spread = np.concatenate([_values(self.dictionary, one) @ found.T for one in states]).std(axis=0)
        values = [_values(self.dictionary, one) @ found.T for one in states]
        middle = np.concatenate(values).mean(axis=0)
        unit = np.where(spread > 0, spread, 1.0)
        drift = self.evidence.drift if trajectories is None and len(found) == len(self.spread) else None
        return report.traces_figure(list(times), [(one - middle) / unit for one in values], labels, drift=drift)

    def plot_spectrum(self) -> "Figure":
        """The spectrum of defects with the decision drawn in.

        Returns: a matplotlib figure.
        Raises: ValueError when all combinations are constant or noise."""
        if len(self.defects) == 0:
            raise ValueError("plot_spectrum: there is no combination whose defect could be told.")
        defects = np.minimum(self.defects, 1.0)
        return report.spectrum_figure(
            defects, self.dim, resolution=self.evidence.resolution, title="Spectrum of defects of functions"
        )

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write a self-contained HTML page: the functions, their course along trajectories with the drift of each, the
        defects with the decision drawn in, Python that uses what was found, and the result to take away.

        Arguments: `path`.
        Returns: the path written.
        Raises: OSError for a bad path."""
        check_path(path)
        return page(
            path,
            self._told(),
            self.plot() if self.trajectories else None,
            self.plot_spectrum() if len(self.defects) else None,
            self.save,
            self.dictionary.written() is None,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one .npz file (arrays and JSON, no pickle).

        Functions of your own are not in the file: pass the dictionary to `load`.

        Raises: OSError for a bad path."""
        own: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        own["dictionary"] = self.dictionary.written() or {"type": "your own", "size": self.dictionary.size}
        own["evidence"] = asdict(self.evidence)
        return write_record(path, own, FORMAT)

    @classmethod
    def load(cls, path: str | os.PathLike[str], dictionary: AbstractDictionary | None = None) -> "Conserved":
        """Read what `save` wrote.

        Arguments: `path`; `dictionary`, where it holds functions of your own.
        Returns: the record.
        Raises: OSError when there is no such file; ValueError when it is another kind of file, or a dictionary is
            needed and not given, or has another size.
        """
        plain = read_record(path, FORMAT, "Conserved.save")
        written = plain["dictionary"]
        if written["type"] != "your own":
            dictionary = read_dictionary(written)
        elif dictionary is None or dictionary.size != written["size"] or dictionary.width != len(plain["names"]):
            raise ValueError(
                f"dictionary: '{path}' holds combinations of {written['size']} functions, some of them your own, which"
                " no file can hold. Make the dictionary again and pass it: Conserved.load(path, dictionary=...)."
            )
        evidence = plain["evidence"] | {"notes": tuple(plain["evidence"]["notes"])}
        tuples = {name: tuple(plain[name]) for name in ("names", "times", "states", "generators")}
        own: dict[str, Any] = {**plain, **tuples, "dictionary": dictionary, "evidence": ConservedEvidence(**evidence)}
        return cls(**own)

    def __repr__(self) -> str:
        return (
            f"Conserved(dim={self.dim}, independent={self.independent}, verdict='{self.evidence.verdict}',"
            f" functions={self.dictionary.size})"
        )

    def __str__(self) -> str:
        return text(self._told())

    def plain(self) -> dict[str, Any]:
        """What print shows, as numbers, texts and lists that JSON can hold: verdict, functions, defects, resolutions.

        Returns: a dict; what is no number is None."""
        return plain(self._told())

    def _told(self) -> Told:
        return Told(
            self.independent,
            self.expressions(),
            self.expressions(slow=True),
            self.generators,
            self.defects,
            self.evidence,
            self.names,
            self.dictionary.size,
            self.rows,
            self.trajectories,
            self.method,
        )


def _values(dictionary: AbstractDictionary, x: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(dictionary)(jnp.asarray(x, jnp.float64)))
