"""Rows that lie in pieces, on devices, in processes or on the workers of a cluster, and are worked on there."""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

T = TypeVar("T")


@runtime_checkable
class Pieces(Protocol):
    """The pieces of a table, each a range of its rows.

    Fields: `largest`, the number of rows of the largest piece, so that all of them can be cut to one size.
    """

    @property
    def largest(self) -> int: ...

    def here(self) -> Iterator[np.ndarray]:
        """The rows, a piece at a time in the memory of this process.

        Raises: ValueError where another process holds some.
        """
        ...

    def each(
        self,
        work: Callable[..., T],
        merge: Callable[[T, T], T],
        *beside: "Pieces | np.ndarray | None",
        asked: Mapping[str, str] | None = None,
    ) -> T:
        """What comes of all pieces.

        Arguments: `work`, from the rows (B, n) of a piece, the number of the first of them in the table, and the rows
            of what stands `beside` them, to what is to be kept of it; `merge` of two such, of pieces in their order;
            `beside`, the same rows of other tables: pieces that are cut alike, arrays (N, ...), or None, which is
            handed on; `asked`, by name, on what several processes that answer together must agree.
        Returns: what is merged of all; in every process the same.
        Raises: ValueError for pieces that are cut in another way, and naming what processes do not agree on.
        """
        ...
