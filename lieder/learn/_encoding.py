"""Sizes of a latent action: how large its networks are and how long they train."""

from dataclasses import dataclass
from typing import Literal

from ..sampling import check_whole
from ._numbers import is_size


@dataclass(frozen=True)
class Encoding:
    """How an encoder, a decoder and what acts between them are trained.

    Fields:
        widths: of the hidden layers of encoder and decoder, where none of your own are given.
        judge: width of the two hidden layers of the discriminator, of the adversarial route.
        batch: pairs a step. steps: of training.
        rates: of Adam, for the networks, the generators and the discriminator; they fall to zero (a cosine).
        reconstruction, symmetry, inverse: weights of what the decoder misses, as a share of the variance; of how far
            moved pairs are from pairs; and of encode(decode(z)) - z at moved z.
        identity: weight of |mean cos(g z, z)|, which drives generators away from scalings, of the adversarial route.
        spread: standard deviation of the coefficients by which generators of size one move the latent, in radians times
            root two for a rotation.
        smooth: weight of the discriminator's slope (R1).
        units: "each" (default), each column in a unit of its own, its spread; or "common", all in one, as pixels and
            principal components should be: one that hardly varies is then worth little.
        threshold: entries of a generator below this share of its largest are set to zero.
    Raises: ValueError for numbers that are none.
    """

    widths: tuple[int, ...] = (64, 64)
    judge: int = 64
    batch: int = 256
    steps: int = 3000
    rates: tuple[float, float, float] = (3e-3, 3e-3, 1e-3)
    reconstruction: float = 1.0
    symmetry: float = 0.3
    inverse: float = 0.1
    identity: float = 1.0
    spread: float = 1.0
    smooth: float = 0.1
    threshold: float = 0.0
    units: Literal["each", "common"] = "each"

    def __post_init__(self):
        for value in self.widths:
            check_whole(value, "training.widths")
        for name in ("judge", "batch", "steps"):
            check_whole(getattr(self, name), f"training.{name}")
        for name in ("reconstruction", "symmetry", "inverse", "identity", "spread", "smooth", "threshold"):
            if not is_size(value := getattr(self, name)):
                raise ValueError(f"training.{name} must be a number of at least 0, got {value!r}.")
        if self.units not in ("each", "common"):
            raise ValueError(f"training.units must be 'each' or 'common', got {self.units!r}.")
        if not self.widths or self.batch < 4 or not self.threshold < 1 or not self.spread > 0:
            raise ValueError(
                f"training needs a hidden layer, batches of at least 4, a spread above 0 and a threshold below 1,"
                f" got {self}."
            )
        if len(self.rates) != 3 or not all(is_size(rate) and rate > 0 for rate in self.rates):
            raise ValueError(f"training.rates must be three learning rates above 0, got {self.rates!r}.")


SMALL = Encoding()
# Five layers of 512 and a discriminator of 512 are those of Yang et al. (2024).
PUBLISHED = Encoding(widths=(512,) * 5, judge=512, steps=20_000, rates=(1e-3, 1e-3, 1e-3))
NAMED = {"small": SMALL, "published": PUBLISHED}


def named_encoding(given: "str | Encoding") -> Encoding:
    """Sizes by name, or those given.

    Raises: ValueError for another name, TypeError for what is none.
    """
    if isinstance(given, str):
        if given not in NAMED:
            raise ValueError(f"training: expected 'small', 'published' or lieder.learn.Encoding(...), got {given!r}.")
        return NAMED[given]
    if not isinstance(given, Encoding):
        raise TypeError(f"training must be 'small', 'published' or a lieder.learn.Encoding, got {given!r}.")
    return given
