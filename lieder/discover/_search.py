"""How the surface of a cloud is sought: a record that the doors of clouds make."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..dictionary import AbstractDictionary
from ._checks import check_count

Route = Literal["tangents", "level set", "density", "auto"]
TANGENTS: Route = "tangents"
LEVELS: Route = "level set"
DENSITY: Route = "density"
AUTO: Route = "auto"


@dataclass(frozen=True)
class Search:
    """How a surface is sought: its `dimension` and the number of `neighbours`, where they are known, at no more than
    `max_points`; by which `route`; the `dictionary` of functions that may vanish on it, default polynomials, and the
    `count` of those that do, where it is known.

    Raises: ValueError for what is no count or no route; TypeError for what is no dictionary."""

    dimension: int | None = None
    neighbours: int | None = None
    max_points: int = 50_000
    route: Route = TANGENTS
    dictionary: AbstractDictionary | None = None
    count: int | None = None

    def __post_init__(self):
        for argument in ("dimension", "neighbours", "max_points", "count"):
            check_count(getattr(self, argument), argument)
        if self.route not in get_args(Route):
            raise ValueError(f"route must be one of {', '.join(map(repr, get_args(Route)))}, got {self.route!r}.")
        if self.dictionary is not None and not isinstance(self.dictionary, AbstractDictionary):
            raise TypeError(f"dictionary must be one of lieder.dictionary, got {type(self.dictionary).__name__}.")
        if self.dictionary is not None and self.route not in (LEVELS, AUTO):
            raise ValueError(f"dictionary is for route='level set' or 'auto', got route={self.route!r}.")
