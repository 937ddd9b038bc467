"""The record of a search among finite elements."""

import dataclasses
import os
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from .. import report
from ..action import AbstractAction, AbstractFibreAction, subgroup
from ..algebra import FiniteGroup, LieAlgebra, element_in_words
from ..files import check_path, read_record, write_record
from ._evidence import CANNOT_TELL, NONE
from ._group_decision import FiniteEvidence
from ._group_page import Shown, page
from ._storage import read_action, written_action

FORMAT = "lieder finite symmetries 1"
SHOWN = 16  # rows of the table
COLUMNS = ["elements", "such as", "order", "relative defect", "resolution", "reading"]


@dataclass(frozen=True, eq=False, repr=False)
class FiniteSymmetries:
    """Which elements of a finite group are symmetries, and the subgroup that they form.

    Fields:
        source, target: how the candidates act on inputs and on outputs (None: outputs stay). Generators that they have
            besides are known symmetries, and the elements are then told apart modulo their flows.
        group: the candidates, G elements.
        defects: (G,) relative defects: 0 is an exact symmetry, about 1 none. That of the identity is 0; NaN where no
            row stays among the data.
        found: (H,) the numbers of the elements of the largest subgroup that holds; only the identity, 0, where nothing
            is claimed.
        name: of that subgroup: "C7", "D4", "S3", "Z2 x Z2".
        evidence: what decided the answer.
        names: of the columns, inputs then outputs.
        method: what was asked, in words.
    """

    source: AbstractAction
    target: AbstractFibreAction | None
    group: FiniteGroup
    defects: Float[np.ndarray, " G"]
    found: Int[np.ndarray, " H"]
    name: str
    evidence: FiniteEvidence
    names: tuple[str, ...]
    method: str

    @property
    def order(self) -> int:
        """The number of elements found, with the identity."""
        return len(self.found)

    @property
    def elements(self) -> Float[np.ndarray, "H n n+1"]:
        """The elements found, as affine maps of the candidates' defining space; the identity first."""
        return self.group.maps[self.found]

    @property
    def generating(self) -> tuple[int, ...]:
        """The numbers of a few elements that generate those found."""
        return self.group.generating(self.found)

    @property
    def symmetric(self) -> Int[np.ndarray, " k"]:
        """The numbers of the elements that hold, by themselves or as products of such; the identity first."""
        return self._read("holds", "follows")

    @property
    def broken(self) -> Int[np.ndarray, " k"]:
        """The numbers of the elements that are broken."""
        return self._read("broken")

    @property
    def undecided(self) -> Int[np.ndarray, " k"]:
        """The numbers of the elements that cannot be told."""
        return self._read("undecided")

    def _read(self, *words: str) -> Int[np.ndarray, " k"]:
        return np.flatnonzero([one in words for one in self.evidence.readings])

    @property
    def algebra(self) -> LieAlgebra:
        """The subgroup found as an algebra: its discrete elements generate it, beside the known generators if any."""
        own = self.source.algebra
        assert isinstance(own, LieAlgebra)  # our own bug
        maps = tuple(self.group.maps[k] for k in self.generating)
        name = self.name if own.dim == 0 else f"{own.name} with {self.name}"
        return LieAlgebra(name, own.names, own.generators, own.constants, maps, own.tolerance)

    @property
    def action(self) -> AbstractAction:
        """The subgroup found acting on inputs: goes straight into enforce, promote and nn."""
        out = self._acting(self.source)
        assert isinstance(out, AbstractAction)  # our own bug
        return out

    @property
    def target_action(self) -> AbstractFibreAction:
        """The subgroup found acting on outputs.

        Raises: ValueError where outputs stay."""
        if self.target is None:
            raise ValueError(
                "target_action: outputs stay as they are; write lieder.scalars(found.algebra, width) for them."
            )
        return self._acting(self.target)

    def _acting(self, candidates: AbstractFibreAction) -> AbstractFibreAction:
        return subgroup(candidates, self.algebra, [self.group.word(k) for k in self.generating])

    def described(self, k: int) -> str:
        """Element k in words: "(1 2 3)", "rotation by 51.4 deg", "mirror along 45 deg".

        Raises: IndexError where there are not so many."""
        if not 0 <= k < self.group.order:
            raise IndexError(f"k={k}: there are {self.group.order} candidates, numbered from 0.")
        return element_in_words(self.group.maps[k])

    def plain(self) -> dict[str, object]:
        """The answer as numbers, texts, lists and dictionaries, for JSON.

        Returns: `verdict`; `group` and `order` of the subgroup found, `elements`, its numbers, and `generators`, in
            words; of all `candidates` number, words, order, relative defect (None where all rows leave the data),
            resolution, share among the data and reading; `delta`, `min_gap`, `resolution`, `model` and `notes`.
        """
        e = self.evidence
        candidates = [
            {
                "number": k,
                "element": self.described(k) if k else "identity",
                "order": self.group.period(k),
                "defect": float(self.defects[k]),
                "resolution": float(e.resolutions[k]),
                "among_data": float(e.covered[k]),
                "reading": e.readings[k],
            }
            for k in range(self.group.order)
        ]
        return {
            "verdict": e.verdict,
            "group": self.name,
            "order": self.order,
            "elements": self.found.tolist(),
            "generators": [self.described(k) for k in self.generating],
            "candidates": candidates,
            "delta": e.delta,
            "min_gap": e.min_gap,
            "resolution": e.resolution_source,
            "model": e.model,
            "notes": list(e.notes),
        }

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write a self-contained HTML page: the lattice of subgroups with the largest defect of each, every element
        against what is known of it, Python that uses what was found, and the result to take away.

        Arguments: `path`.
        Returns: the path written.
        Raises: OSError for a bad path."""
        check_path(path)
        rows, more = self._rows()
        told = "\n".join([self._told(), *(line.strip() for line in more)])
        shown = Shown(
            self.method,
            self.group,
            self.defects,
            self.found,
            self.evidence,
            told,
            self.described,
            COLUMNS,
            rows,
            self.names,
            self.source.width,
            self.target is not None,
            self.save,
        )
        return page(path, shown)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one .npz file (arrays and JSON, no pickle).

        Raises: OSError for a bad path."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        group = {one.name: getattr(self.group, one.name) for one in fields(self.group)}
        plain |= {
            "source": written_action(self.source),
            "target": written_action(self.target),
            "group": group,
            "evidence": dataclasses.asdict(self.evidence),
        }
        return write_record(path, plain, FORMAT)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        source: AbstractAction | None = None,
        target: AbstractFibreAction | None = None,
    ) -> "FiniteSymmetries":
        """Read what `save` wrote.

        Arguments: `path`; `source`, `target`: the actions where they are of a class, or made of functions, of your own.
        Returns: the record.
        Raises: OSError when there is no such file; ValueError when it is another kind of file, when an action is needed
            and not given, and when another is given."""
        plain = read_record(path, FORMAT, "FiniteSymmetries.save")
        evidence = plain["evidence"]
        evidence |= {name: tuple(evidence[name]) for name in ("readings", "notes")}
        loader = "FiniteSymmetries.load"
        plain |= {
            "source": read_action(plain["source"], source, "source", path, loader),
            "target": read_action(plain["target"], target, "target", path, loader),
            "group": FiniteGroup(**plain["group"]),
            "evidence": FiniteEvidence(**evidence),
            "names": tuple(plain["names"]),
        }
        return cls(**plain)

    def __repr__(self) -> str:
        return (
            f"FiniteSymmetries(name='{self.name}', order={self.order}, verdict='{self.evidence.verdict}',"
            f" candidates={self.group.order})"
        )

    def __str__(self) -> str:
        e = self.evidence
        title = f"{self.method}: {self.group.order} elements in {int(self.group.classes.max()) + 1} conjugacy classes"
        rows, more = self._rows()
        return report.render(report.table(rows, COLUMNS, title), *more, report.verdict_panel(self._told(), e.verdict))

    def _rows(self) -> tuple[list[list[object]], list[str]]:
        """Classes of elements of one reading, the least defect first."""
        e, classes = self.evidence, self.group.classes
        keys: dict[tuple[int, str], list[int]] = {}
        for k in range(1, self.group.order):
            keys.setdefault((int(classes[k]), e.readings[k]), []).append(k)
        parts = sorted(keys.items(), key=lambda item: float(np.fmin.reduce(self.defects[item[1]], initial=9.0)))
        rows: list[list[object]] = []
        for (_, reading), some in parts[:SHOWN]:
            defects = self.defects[some][np.isfinite(self.defects[some])]
            low, high = (f"{v:.3g}" for v in (defects.min(), defects.max())) if len(defects) else ("", "")
            rows.append(
                [
                    len(some),
                    self.described(some[0]),
                    self.group.period(some[0]),
                    low if low == high else f"{low} to {high}",
                    f"{e.resolutions[some].max():.2g}" if len(defects) else "",
                    reading + (f" ({100 * e.covered[some].mean():.0f} % among the data)" if _leaves(e, some) else ""),
                ]
            )
        return rows, [f"  ... and {len(parts) - SHOWN} more"] if len(parts) > SHOWN else []

    def _told(self) -> str:
        e, G = self.evidence, self.group.order
        counts = {
            word: sum(one == word for one in e.readings[1:]) for word in ("holds", "follows", "broken", "undecided")
        }
        kinds = f"{counts['holds']} hold, {counts['broken']} are broken, {counts['undecided']} cannot be told"
        if counts["follows"]:
            kinds += f", {counts['follows']} follow as products of those that hold"
        if e.verdict == NONE:
            lines = [
                f"No symmetry among {G - 1} elements besides the identity: the least defect is"
                f" {np.nanmin(self.defects[1:]):.3g}."
            ]
        elif e.verdict == CANNOT_TELL:
            lines = [f"Cannot tell: nothing is claimed. Of {G - 1} elements besides the identity {kinds}."]
        else:
            generators = ", ".join(self.described(k) for k in self.generating)
            lines = [f"{self.name}, {self.order} of {G} elements, generated by {generators}."]
            lines.append(f"Besides the identity {kinds}.")
        if not e.closes:
            lines.append(f"Those that hold do not close: {e.why_not}; claimed is the largest subgroup of some of them.")
        if e.tolerance is not None:
            lines.append(f"Rule: defects up to the given tolerance {e.tolerance:.3g} hold.")
        else:
            lines.append(
                f"Rule: an element holds where its defect is within three standard errors of zero and one of"
                f" {e.delta:g} is ruled out; it is broken from {e.min_gap:g} standard errors on."
            )
        lines.append(f"Resolution: {e.resolution_source}.")
        if e.model:
            lines.append(f"Model: {e.model}.")
        lines += [f"Note: {note}." for note in e.notes]
        return "\n".join(lines)


def _leaves(e: FiniteEvidence, some: list[int]) -> bool:
    return bool(e.covered[some].mean() < 0.995)
