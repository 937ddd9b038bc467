"""What `generative` returns: a model of how pictures came about, to be asked, drawn from, and kept in a file."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from .. import report
from ..action import AbstractAction
from ..files import read_record, write_record
from ._flow import Flow
from ._inference import Inference, prototype
from ._leaves import array_leaves, with_leaves
from ._pictures import Standard, pictures_like
from ._sizes import Sizes, read_sizes, written_sizes
from ._spread import SMALL as SMALL_RANGES
from ._spread import Spread, centred
from ._stages import Errors
from ._transformations import Transformations, named_transformations, read_transformations

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMAT = "lieder generative model 3"  # of 2, transformations were one exponential
ASKED, DRAWN = 256, 64  # prototypes that the spreads are drawn from, and draws of each
TOGETHER = 512  # pictures at once


Parts = tuple[Inference, Flow, Transformations]


@dataclass(frozen=True, eq=False, repr=False)
class Generative:
    """Pictures as transforms of prototypes, x = T_eta prototype with eta drawn from p(eta | prototype).

    Fields:
        transforms: T, with the names and bounds of the q transformations.
        standard: background and size of the pictures.
        network: the inference f, x -> eta; prototype = T_-f(x) x.
        flow: p(eta | prototype).
        sizes: of both, and how they trained.
        draws: (pictures, draws, q) of eta, given prototypes of pictures that training did not see.
        ranks: (pictures, q) the share of draws below f(x), for the same pictures: uniform where p is calibrated.
        log_likelihoods: (pictures,) log p(f(x) | prototype) of the same, in nats.
        errors: relative squared errors of the inference on them.
        courses: of each stage the criterion over the blocks of training.
        notes: what went wrong, in words; empty where nothing did.
        channels: whether pictures have an axis of channels.
    """

    transforms: Transformations
    standard: Standard
    network: Inference
    flow: Flow
    sizes: Sizes
    draws: Float[np.ndarray, "pictures draws q"]
    ranks: Float[np.ndarray, "pictures q"]
    log_likelihoods: Float[np.ndarray, " pictures"]
    errors: Errors
    courses: Mapping[str, Float[np.ndarray, " blocks"]]
    notes: tuple[str, ...]
    channels: bool

    @classmethod
    def of(
        cls,
        parts: tuple[Transformations, Standard, Inference, Flow, Sizes],
        kept: Float[np.ndarray, "m c h w"],
        errors: Errors,
        seed: int,
    ) -> "Generative":
        """A model of its parts, asked on standardised pictures that were kept apart."""
        transforms, _, network, flow, _ = parts
        looked = jnp.asarray(kept[:ASKED])
        keys = jax.random.split(jax.random.key(seed + 5), len(looked))
        draws, answers, likelihoods = (np.asarray(one) for one in _asked((network, flow, transforms), looked, keys))
        ranks = np.empty((len(looked), transforms.count))
        for k, turning in enumerate(transforms.turns):
            both = np.concatenate([draws[:, :, k], answers[:, k, None]], axis=1)
            if turning:  # counted from the far side of the circle, seen from the middle of the draws
                middle = np.angle(np.exp(1j * draws[:, :, k]).mean(axis=1))[:, None]
                both = (both - middle + np.pi) % (2 * np.pi) - np.pi
            ranks[:, k] = (both[:, :-1] < both[:, -1:]).mean(axis=1)
        return cls(*parts, draws, ranks, likelihoods, errors, {}, (), True)

    @property
    def names(self) -> tuple[str, ...]:
        """The transformations."""
        return self.transforms.names

    @property
    def spreads(self) -> dict[str, Spread]:
        """Of each transformation its distribution about the middle, whichever the prototype."""
        t = self.transforms
        return {
            name: Spread(name, kind, centred(self.draws[:, :, k], turning).ravel(), SMALL_RANGES[kind], len(self.draws))
            for k, (name, kind, turning) in enumerate(zip(t.names, t.kinds, t.turns, strict=True))
        }

    @property
    def words(self) -> str:
        """ "Rotated within ±15 degrees, and not scaled along x." """
        told = [spread.words for spread in self.spreads.values()]
        whole = told[0] if len(told) == 1 else f"{', '.join(told[:-1])}, and {told[-1]}"
        return whole[0].upper() + whole[1:] + "."

    def infer(self, images: ArrayLike) -> Float[np.ndarray, "n q"]:
        """eta of each picture, (n, q): what takes its prototype to it, in radians, shares and logarithms."""
        return np.asarray(_answers((self.network, self.flow, self.transforms), self._inward(images)))

    def prototypes(self, images: ArrayLike) -> np.ndarray:
        """Each picture as it stood before it was transformed, in the shape that pictures have."""
        return self._outward(_prototypes((self.network, self.flow, self.transforms), self._inward(images)))

    def log_likelihood(self, images: ArrayLike) -> Float[np.ndarray, " n"]:
        """log p(eta | prototype) of each picture, in nats: low where it is transformed as data hardly ever are."""
        return np.asarray(_likelihoods((self.network, self.flow, self.transforms), self._inward(images)))

    def sample(self, images: ArrayLike, count: int = 1, seed: int = 0) -> np.ndarray:
        """New transforms of each picture's prototype, as data have them: (n, count, *shape of a picture)."""
        if count < 1:
            raise ValueError(f"count: expected at least 1, got {count}.")
        whole = _samples((self.network, self.flow, self.transforms), self._inward(images), count, seed)
        return self._outward(whole)

    def augment(self, images: ArrayLike, seed: int = 0) -> np.ndarray:
        """Each picture transformed anew as data are: one sample of each, in its place. Labels stay as they are."""
        return self.sample(images, 1, seed)[:, 0]

    @property
    def verdict(self) -> str:
        """ "symmetries", "no symmetry" where every range is called none, "cannot tell" where there are notes."""
        if self.notes:
            return "cannot tell"
        return "symmetries" if any(one.range > one.small for one in self.spreads.values()) else "no symmetry"

    @property
    def calibration(self) -> dict[str, float]:
        """Of each transformation the largest distance of the distribution of ranks from a uniform one.

        Below 1.36 / sqrt(pictures) nothing speaks against the density (Kolmogorov and Smirnov, 5 %).
        """
        n = len(self.ranks)
        ideal = (np.arange(n) + 0.5) / n
        return {name: float(np.abs(np.sort(self.ranks[:, k]) - ideal).max()) for k, name in enumerate(self.names)}

    def plot_strips(self, images: ArrayLike, count: int = 6, seed: int = 0) -> "Figure":
        """Each picture, its prototype, and `count` new samples, one below the other: one column a picture."""
        given, protos, drawn = np.asarray(images), self.prototypes(images), self.sample(images, count, seed)
        if not self.channels:
            given, protos, drawn = given[:, None], protos[:, None], drawn[:, :, None]
        rows = [("picture", given), ("prototype", protos)]
        rows += [("samples" if k == 0 else "", drawn[:, k]) for k in range(count)]
        return report.strips_figure(rows, "Pictures, their prototypes, and new transforms of these", self.words)

    def plot_spreads(self) -> "Figure":
        """The distribution of each transformation, and whether the density is calibrated."""
        shown = {"angle": (180 / np.pi, "degrees"), "share": (100.0, "% of the side"), "number": (1.0, "coefficient")}
        told = []
        for one in self.spreads.values():
            if one.kind == "factor":
                told.append((one.words, 100 * np.expm1(one.draws), "%"))
            else:
                told.append((one.words, shown[one.kind][0] * one.draws, shown[one.kind][1]))
        return report.spreads_figure(told, self.ranks, "How far the data are transformed, from the middle")

    def plain(self) -> dict[str, Any]:
        """The answer as numbers, texts, lists and dictionaries, for JSON."""
        spreads = self.spreads
        return {
            "words": self.words,
            "transformations": [
                {
                    "name": name,
                    "kind": one.kind,
                    "range": one.range,
                    "modes": list(one.modes),
                    "calibration": self.calibration[name],
                    "words": one.words,
                }
                for name, one in spreads.items()
            ],
            "log_likelihood": float(np.mean(self.log_likelihoods)),
            "errors": self.errors._asdict(),
            "notes": list(self.notes),
        }

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything to one .npz file (arrays and JSON, no pickle).

        Raises: OSError for a bad path."""
        leaves = {"network": array_leaves(self.network), "flow": array_leaves(self.flow)}
        t = self.transforms
        plain = {
            "transforms": t.written(),
            "shape": list(t.shape),
            "bounds": dict(zip(t.names, t.bounds, strict=True)),
            "background": self.standard.background,
            "size": self.standard.size,
            "sizes": written_sizes(self.sizes),
            "units": [list(self.flow.centre), list(self.flow.scale)],
            "draws": self.draws,
            "ranks": self.ranks,
            "log_likelihoods": self.log_likelihoods,
            "errors": list(self.errors),
            "courses": dict(self.courses),
            "notes": list(self.notes),
            "channels": self.channels,
        }
        return write_record(path, plain | leaves, FORMAT)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], transformations: "Sequence[str] | AbstractAction | None" = None
    ) -> "Generative":
        """Read what `save` wrote.

        Arguments: `path`; `transformations`, the action where it is known by code alone.
        Returns: the model.
        Raises: OSError when there is no such file; ValueError when it is another kind of file, and when an action is
            needed and not given."""
        plain = read_record(path, FORMAT, "Generative.save")
        shape = tuple(plain["shape"])
        if plain["transforms"] is not None:
            transforms = read_transformations(plain["transforms"])
        elif transformations is None:
            raise ValueError(
                f"path: '{path}' holds a model of an action that is known by code alone; make it again and pass it:"
                " Generative.load(path, transformations=...)."
            )
        else:
            transforms = named_transformations(transformations, shape, plain["bounds"])
        sizes = read_sizes(plain["sizes"])
        network = Inference(transforms, sizes.widths, jax.random.key(0))
        units = tuple(plain["units"][0]), tuple(plain["units"][1])
        flow = Flow(transforms, units, sizes.features, (sizes.layers, sizes.bins), jax.random.key(0))
        standard = Standard(plain["background"], plain["size"])
        return cls(
            transforms,
            standard,
            with_leaves(network, plain["network"]),
            with_leaves(flow, plain["flow"]),
            sizes,
            plain["draws"],
            plain["ranks"],
            plain["log_likelihoods"],
            Errors(*plain["errors"]),
            plain["courses"],
            tuple(plain["notes"]),
            plain["channels"],
        )

    def _inward(self, images: ArrayLike) -> Array:
        own = self.transforms.shape if self.channels else self.transforms.shape[1:]
        return jnp.asarray(self.standard.inward(pictures_like(images, own)))

    def _outward(self, pictures: Array) -> np.ndarray:
        whole = self.standard.outward(pictures)
        return whole if self.channels else whole[..., 0, :, :]

    def __repr__(self) -> str:
        return f"Generative({self.words!r})"

    def __str__(self) -> str:
        rows = [[name, one.words, f"{self.calibration[name]:.2f}"] for name, one in self.spreads.items()]
        title = (
            f"{len(self.ranks)} pictures that training did not see, of {' x '.join(map(str, self.transforms.shape))}"
        )
        e = self.errors
        lines = [
            self.words,
            f"Inference: relative squared error of equivariance {e.equivariance:.2g} (by chance {e.chance:.2g}); a"
            f" prototype loses {100 * e.lost:.1f} % of its picture.",
            f"Density: log-likelihood {np.mean(self.log_likelihoods):.2f} nats a picture.",
            *(f"Note: {note}." for note in self.notes),
        ]
        table = report.table(rows, ["transformation", "the data are", "calibration"], title)
        return report.render(table, report.verdict_panel("\n".join(lines), self.verdict))


def anew(transforms: Transformations, picture: Array, own: Float[Array, " q"], eta: Float[Array, " q"]) -> Array:
    """T_eta T_-own of a picture, composed and resampled once: from its prototype it would be blurred twice."""
    return transforms.moved(transforms.product(transforms.inverse(own), transforms.element(eta)), picture)


def _mapped(of: Callable, *pictures: Array, batch: int = TOGETHER) -> Any:
    return jax.lax.map(lambda one: of(*one), pictures, batch_size=max(1, min(batch, len(pictures[0]))))


def etas_and_answers(
    of: Generative, pictures: Float[Array, "n c h w"], seed: int
) -> tuple[Float[Array, "n draws q"], Float[Array, "n q"]]:
    """What transforms the prototype of each standardised picture as data have it, several draws, and f(x)."""
    parts = of.network, of.flow, of.transforms
    return _asked(parts, pictures, jax.random.split(jax.random.key(seed), len(pictures)))[:2]


@eqx.filter_jit
def _answers(parts: Parts, pictures: Array) -> Array:
    return _mapped(parts[0], pictures)


@eqx.filter_jit
def _prototypes(parts: Parts, pictures: Array) -> Array:
    network, _, transforms = parts
    return _mapped(lambda one: prototype(network, transforms, one)[0], pictures)


@eqx.filter_jit
def _likelihoods(parts: Parts, pictures: Array) -> Array:
    network, flow, transforms = parts

    def one(picture):
        proto, eta = prototype(network, transforms, picture)
        return flow.log_density(eta, proto)

    return _mapped(one, pictures)


@eqx.filter_jit
def _samples(parts: Parts, pictures: Array, count: int, seed: int) -> Array:
    network, flow, transforms = parts

    def several(picture, key):
        proto, own = prototype(network, transforms, picture)
        features = flow.features(proto)
        etas = jax.vmap(lambda one: flow.sample_of(features, one))(jax.random.split(key, count))
        return jax.vmap(lambda eta: anew(transforms, picture, own, eta))(etas)

    keys = jax.random.split(jax.random.key(seed), len(pictures))
    return _mapped(several, pictures, keys, batch=TOGETHER // count)


@eqx.filter_jit
def _asked(parts: Parts, pictures: Array, keys: Array) -> tuple[Array, Array, Array]:
    """Draws given the prototype of each picture, what the inference reads off it, and how likely that is."""
    network, flow, transforms = parts

    def one(picture, key):
        proto, eta = prototype(network, transforms, picture)
        features = flow.features(proto)
        draws = jax.vmap(lambda k: flow.sample_of(features, k))(jax.random.split(key, DRAWN))
        return draws, eta, flow.log_density_of(eta, features)

    return _mapped(one, pictures, keys)
