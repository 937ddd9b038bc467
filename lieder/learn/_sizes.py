"""How large networks are and how long they train: small ones for a processor, large ones, as published, for a GPU."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ._descent import Descent
from ._inference import Blur

SMALL_INFERENCE, SMALL_DENSITY = Descent(2000, 32, 1e-3), Descent(2000, 128, 1e-3)
BLUR = Blur()


@dataclass(frozen=True)
class Sizes:
    """Sizes of a generative model of transformations.

    Fields:
        widths: of the layers of the inference; `inference`, how it trains; `draws`, transforms of each picture a step;
            `blur`, how the comparison sharpens.
        features: widths of the layers that read a prototype; `layers` and `bins` of the flow; `density`, how it trains.
    """

    widths: tuple[int, ...] = (256, 128, 64)
    inference: Descent = SMALL_INFERENCE
    draws: int = 5
    blur: Blur = BLUR
    features: tuple[int, ...] = (128, 64)
    layers: int = 4
    bins: int = 6
    density: Descent = SMALL_DENSITY


SMALL = Sizes()
# Widths of the inference, draws, bins and blur are those of Allingham et al. (2024); steps, batches, rates and what
# reads a prototype are ours, of that order.
PUBLISHED = Sizes(
    widths=(2048, 1024, 512, 256),
    inference=Descent(10_000, 512, 3e-4),
    blur=Blur(share=0.01),
    features=(1024, 512, 256),
    layers=6,
    density=Descent(30_000, 512, 3e-4),
)
NAMED = {"small": SMALL, "published": PUBLISHED}


def named_sizes(given: "str | Sizes") -> Sizes:
    """Sizes by name, or those given.

    Raises: ValueError for another name, and for numbers that are none.
    """
    if isinstance(given, str):
        if given not in NAMED:
            raise ValueError(f"sizes: expected 'small', 'published' or lieder.learn.Sizes(...), got {given!r}.")
        return NAMED[given]
    numbers = (*given.widths, *given.features, given.draws - 1, given.layers, given.bins - 1)
    if not given.widths or not given.features or min(numbers) < 1 or not np.isfinite(given.blur.sigma):
        raise ValueError(f"sizes: widths and layers are at least 1, draws and bins at least 2; got {given}.")
    return given


def written_sizes(sizes: Sizes) -> dict[str, Any]:
    """Plain data of sizes."""
    return asdict(sizes) | {name: getattr(sizes, name)._asdict() for name in ("inference", "density")}


def read_sizes(plain: dict[str, Any]) -> Sizes:
    """What `written_sizes` wrote."""
    return Sizes(
        tuple(plain["widths"]),
        Descent(**plain["inference"]),
        plain["draws"],
        Blur(**plain["blur"]),
        tuple(plain["features"]),
        plain["layers"],
        plain["bins"],
        Descent(**plain["density"]),
    )
