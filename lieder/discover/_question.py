"""The question and the rule: two records that every verb makes at its door, and that go with the data to the answer."""

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Array, Float

from ..action import AbstractAction, AbstractFibreAction, total
from ..sampling import Groups, check_whole
from ._evidence import TOP

Asked = Literal["gap", "certificate"]
CERTIFICATE = "certificate"
LEAST_ALPHA, MOST_ALPHA = 0.001, 0.5  # below, so many draws are needed that nobody waits for them


@dataclass(frozen=True, eq=False)
class Question:
    """Which candidates are symmetries of what.

    Fields:
        source, target: how inputs and outputs are acted on, over one algebra; no target for a point cloud.
        names: of the columns, inputs then outputs, all different: outputs named like inputs get another name.
        method: what is asked, in words.
        lifted: outputs move as inputs make them move (velocities, displacements).
        model: what the caller calls the model; known_by: with which arguments the caller can say how well it is known;
            both for messages.
        units: of the columns, "" where nobody said; () where nobody said any.
        section: which kind of section of a bundle it is that is asked about; None for other questions.
    """

    source: AbstractAction
    target: AbstractFibreAction | None
    names: tuple[str, ...]
    method: str
    lifted: bool = False
    model: str = "F"
    known_by: str = "error="
    units: tuple[str, ...] = ()
    section: "Section | None" = None

    def __post_init__(self):
        inputs, outputs = self.names[: self.source.width], self.names[self.source.width :]
        apart = tuple(f"{name}_out" if name in inputs else name for name in outputs)
        object.__setattr__(self, "names", inputs + apart)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return self.names[self.source.width :]

    @property
    def both(self) -> AbstractAction:
        """The action on inputs and outputs together."""
        return self.source if self.target is None else total(self.source, self.target)

    @property
    def onto(self) -> AbstractFibreAction:
        """The target of a question about a model."""
        if self.target is None:
            raise AssertionError("a model without target: our own bug")
        return self.target


@dataclass(frozen=True)
class Section:
    """Fields: `up`, `down`, slots of the section's values along which they are vectors and covectors, 0 where they are
    of another kind; `up_to_factor`, whether fields count that only rescale it, from place to place; `along`, the number
    of coordinates, from the first, that slots run over, None for all; `also`, what else must vanish: (x, y) -> (q, m,
    r), derivatives along r coordinates from `along` on."""

    up: int
    down: int
    up_to_factor: bool = False
    along: int | None = None
    also: Callable[[Array, Array], Array] | None = None

    def factors(self, units: Float[np.ndarray, " n"], width: int) -> Float[np.ndarray, " m"]:
        """What components are multiplied by when coordinates are measured in other units."""
        out, units = np.ones(1), units[: self.along]
        for slot in range(self.up + self.down):
            out = np.multiply.outer(out, 1 / units if slot < self.up else units).reshape(-1)
        return np.broadcast_to(out, (width,))


@dataclass(frozen=True)
class Rule:
    """How it is decided: by the `tolerance` where one is given, else by a gap of at least `min_gap`; `seed`, of what is
    drawn at random. With `evidence` "certificate" it is also stated what holds to within `delta` with a confidence of
    1 - `alpha`. `groups`, which rows hang together.

    Raises: ValueError for a rule that decides nothing."""

    tolerance: float | None = None
    min_gap: float = 5.0
    seed: int = 0
    evidence: Asked = "gap"
    delta: float = 0.05
    alpha: float = 0.05
    groups: Groups | None = None

    def __post_init__(self):
        if not is_number(self.min_gap) or not 1.0 < self.min_gap < np.inf:
            raise ValueError(
                f"min_gap must be a finite number above 1 (it is a ratio of defects), got {self.min_gap!r}."
            )
        if self.tolerance is not None and not (is_number(self.tolerance) and 0.0 < self.tolerance <= TOP):
            raise ValueError(f"tolerance must lie in (0, {TOP:.3f}]: it is a relative defect, got {self.tolerance!r}.")
        check_whole(self.seed, "seed", least=0)
        if self.evidence not in ("gap", CERTIFICATE):
            raise ValueError(f"evidence must be 'gap' or '{CERTIFICATE}', got {self.evidence!r}.")
        if not (is_number(self.delta) and 0.0 < self.delta < 1.0):
            raise ValueError(
                f"delta must lie between 0 and 1: it is the relative defect up to which a direction counts as a"
                f" symmetry, got {self.delta!r}."
            )
        if not (is_number(self.alpha) and LEAST_ALPHA <= self.alpha <= MOST_ALPHA):
            raise ValueError(
                f"alpha must lie between {LEAST_ALPHA} and {MOST_ALPHA}: it is the probability of an error, .05 for a"
                f" confidence of 95 %, got {self.alpha!r}."
            )


def is_number(value) -> bool:
    """Whether this is a real number, and no switch."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
