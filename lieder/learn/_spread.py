"""How far data were transformed: a distribution about its own middle, and what is said of it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..sampling import check_whole

# Of the draws that the range is read off, so that a tenth to either side does not widen it: of written digits every
# fifth is a zero or an eight, which can hardly be told from themselves upside down.
SHARE = 0.8
SMALL = {"angle": np.radians(3.0), "factor": 0.03, "share": 0.03, "number": 0.03}  # ranges that are called none
WHOLE = 0.93  # of a half turn: a range that is called the whole circle
PEAK, DIP = 0.3, 0.7  # a mode is so high of the highest, and what lies between two is lower than so much of the lesser
SURE = 3.0  # standard errors by which a dip is lower than the peaks it parts: few pictures have dips by chance
BINS = 90
CHANCE = 1.5  # over the root of n: waves in n even draws are of .89
CANDIDATES = 240  # ranges that are compared in `beyond`
LEVELS = np.linspace(0.5 - SHARE / 2, 0.5 + SHARE / 2, 33)
_DONE = {
    "rotation": "rotated",
    "shear": "sheared",
    "hue": "turned in hue",
    "saturation": "changed in saturation",
    "value": "changed in value",
}


@dataclass(frozen=True, eq=False)
class Spread:
    """The distribution of one transformation, given what is transformed and counted from the middle.

    Fields: `name` of the transformation; `kind`, see `Transformations`; `draws` (n,), radians, logarithms or shares;
    `small`, the range up to which it is called none; `pictures`, how many the draws tell of (default: each of another),
    which says what may be chance in them.
    Raises: ValueError for draws of which there are none or some not finite, and a number of pictures that is none.
    """

    name: str
    kind: str
    draws: Float[np.ndarray, " n"]
    small: float
    pictures: int | None = None

    def __post_init__(self):
        if self.pictures is not None:
            check_whole(self.pictures, "pictures")
        lost = int(np.sum(~np.isfinite(self.draws)))
        if lost or not len(self.draws):
            raise ValueError(
                f"draws of '{self.name}' must be finite and at least one, got {len(self.draws)}, {lost} not finite."
            )

    @property
    def range(self) -> float:
        """a, where the data lie within +-a: half the width of the middle 80 %, over .8; exact for a uniform one."""
        low, high = np.quantile(self.draws, [0.5 - SHARE / 2, 0.5 + SHARE / 2])
        return float((high - low) / 2 / SHARE)

    @property
    def modes(self) -> tuple[float, ...]:
        """Where the density has its peaks; those that no dip to 70 %, and beyond chance, parts are one."""
        reach = np.pi if self.kind == "angle" else 1.25 * float(np.abs(self.draws).max()) + 1e-12
        edges = np.linspace(-reach, reach, BINS + 1)
        counts = np.histogram(self.draws, edges)[0].astype(float)
        centres = (edges[1:] + edges[:-1]) / 2
        # A kernel a tenth as wide as the range: what is finer is chance.
        width = max(0.1 * self.range, edges[1] - edges[0])
        apart = centres[:, None] - centres
        if self.kind == "angle":
            apart = (apart + np.pi) % (2 * np.pi) - np.pi
        density = np.exp(-0.5 * (apart / width) ** 2) @ counts / len(self.draws)
        # The square of a Gaussian kernel is narrower by the root of two: the variance of its mean over n pictures.
        chance = 1 / (np.sqrt(2) * (self.pictures or len(self.draws)))
        return tuple(float(centres[k]) for k in _peaks(density, chance))

    @property
    def words(self) -> str:
        """ "rotated within ±15 degrees", "not scaled along x", "rotated by about -45 or 45 degrees"."""
        done = _DONE.get(self.name) or (
            f"{self.name.split()[0]}{'ed' if self.name.startswith('shift') else 'd'} along {self.name.split()[1]}"
            if self.name.startswith(("shift ", "scale "))
            else f"moved along {self.name}"
        )
        if self.range <= self.small:
            return f"not {done}"
        modes = self.modes
        if len(modes) > 1:
            return f"{done} by about {' or '.join(self._told(mode) for mode in modes)}{self._unit}"
        if self.kind == "angle" and self.range > WHOLE * np.pi:
            return f"{done} at will"
        return f"{done} within ±{self._told(self.range)}{self._unit}"

    @property
    def _unit(self) -> str:
        return {"angle": " degrees", "factor": " %", "share": " %", "number": ""}[self.kind]

    def _told(self, value: float) -> str:
        if self.kind == "angle":
            return f"{np.degrees(value):.0f}"
        if self.kind == "factor":
            return f"{100 * np.expm1(value):.0f}"
        return f"{100 * value:.0f}" if self.kind == "share" else f"{value:.3g}"

    def beyond(self, own: "Spread") -> float:
        """How far data were transformed beside what they have of their own: a, where a uniform +-a explains it.

        Handwriting has a slant, and an inference errs: both are in `own`, of data that were not transformed. The
        quantiles of own + a uniform number in +-a are compared with those here, and the a that is nearest is told.

        Arguments: `own`, of the same transformation.
        Returns: a, in the unit of `draws`.
        """
        half = np.pi if self.kind == "angle" else 1.5 * float(np.abs(np.quantile(self.draws, [0.01, 0.99])).max())
        even = np.linspace(-1, 1, 101)
        sums = np.quantile(own.draws, np.linspace(0.005, 0.995, 100))[:, None]
        here = np.quantile(self.draws, LEVELS)
        ranges = np.linspace(0, half, CANDIDATES + 1)
        misses = []
        for a in ranges:
            total = (sums + a * even).ravel()
            if self.kind == "angle":
                total = (total + np.pi) % (2 * np.pi) - np.pi
            misses.append(np.abs(np.quantile(total, LEVELS) - here).sum())
        return float(ranges[int(np.argmin(misses))])


def _peaks(density: np.ndarray, chance: float) -> list[int]:
    """Peaks of a density round a circle, each parted from the next by a dip; its variance is `chance` times itself."""
    highest = density.max()
    turned = int(np.argmin(density))  # begin at the lowest place, so that no peak lies across the end
    rolled = np.roll(density, -turned)
    peaks: list[int] = []
    low = rolled[0]
    for k, value in enumerate(rolled):
        if value < PEAK * highest and (not peaks or value < low):
            low = value
            continue
        if not peaks:
            peaks.append(k)
        elif _dips(low, min(value, rolled[peaks[-1]]), chance):
            peaks.append(k)
        elif value > rolled[peaks[-1]]:
            peaks[-1] = k
        low = value if peaks[-1] == k else min(low, value)
    return sorted((k + turned) % len(density) for k in peaks if rolled[k] >= PEAK * highest)


def _dips(low: float, lesser: float, chance: float) -> bool:
    return bool(low < DIP * lesser and lesser - low > SURE * np.sqrt(chance * (lesser + low)))


def centred(draws: Float[np.ndarray, "pictures n"], turning: bool) -> Float[np.ndarray, "pictures n"]:
    """Draws about the middle of those of their picture: prototypes stand as they happen to stand.

    On a circle the middle is the direction of the wave that is strongest in most pictures, of one, two or three crests:
    two modes half a turn apart have no mean. Where no wave is stronger than chance makes it the draws have no middle
    and are left as they are: about that of their own few they would look gathered.
    """
    if not turning:
        return draws - draws.mean(axis=1, keepdims=True)
    waves = [np.exp(1j * m * draws).mean(axis=1) for m in (1, 2, 3)]
    sizes = [np.abs(wave).mean() for wave in waves]
    if max(sizes) < CHANCE / np.sqrt(draws.shape[1]):
        return draws
    m = 0 if sizes[0] > 0.2 else int(np.argmax(sizes))
    middle = np.angle(waves[m])[:, None] / (m + 1)
    return (draws - middle + np.pi) % (2 * np.pi) - np.pi
