"""Rows on an accelerator, accumulated where they are."""

from dataclasses import dataclass, replace

import jax
import numpy as np

from ..linalg import DeviceFolds, absorb_on_device
from ..sampling import DrawnRows
from ._accumulator import Accumulator

MEASURED = 8  # times as many rows as columns, which further rows are measured by


@dataclass(frozen=True, eq=False)
class DeviceRows:
    """Beside an accumulator in the memory of the host, which keeps what they refuse: factors on an accelerator.

    Fields: `folds` of the numerator and of each term of the denominator, none before there is something to measure by;
    `weight`, the sum over the examples.
    """

    folds: tuple[DeviceFolds, ...] = ()
    weight: float = 0.0

    def absorb(self, parts: int, blocks: tuple, drawn: DrawnRows, weights: np.ndarray) -> tuple["DeviceRows", bool]:
        """With further rows; `weights` of the examples that count, which come first in `drawn` and in the blocks.

        Returns: these in place of the object itself, and whether the rows were taken.
        """
        folds = self.folds
        if not folds:
            begun = [DeviceFolds.like(_some(block), parts, block.device) for block in blocks]
            if any(one is None for one in begun):
                return self, False
            folds = tuple(one for one in begun if one is not None)
        part, scale = np.zeros(len(blocks[0]), np.int32), np.zeros(len(blocks[0]))
        part[: len(weights)], scale[: len(weights)] = drawn.part[: len(weights)], np.sqrt(weights)
        folds, taken = absorb_on_device(folds, blocks, part, scale)
        return DeviceRows(folds, self.weight + float(np.sum(weights)) * taken), taken

    def merged(self, host: Accumulator) -> Accumulator:
        """The accumulator of all rows."""
        if not self.folds:
            return host
        numerator, *terms = (one.folds() for one in self.folds)
        return replace(
            host,
            numerator=host.numerator.merge(numerator),
            terms=tuple(a.merge(b) for a, b in zip(host.terms, terms, strict=True)),
            weight=host.weight + self.weight,
        )


def _some(block: jax.Array) -> np.ndarray:
    """Rows from all over a block, several times as many as columns where there are so many."""
    step = max(1, int(np.prod(block.shape[:-1])) // (MEASURED * block.shape[-1]))
    return np.asarray(block.reshape(-1, block.shape[-1])[::step], np.float64)


def on_accelerator(rows: jax.Array) -> bool:
    """Whether rows lie where it takes long to fetch them from."""
    return any(device.platform != "cpu" for device in rows.devices())
