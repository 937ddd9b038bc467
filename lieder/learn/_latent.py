"""Symmetries that are linear in coordinates which are found with them: an encoder, a decoder, and what acts between."""

import os
from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import numpy as np

from ..action import check_map, encoded, vectors
from ..algebra import gl
from ..discover import Symmetries, pairs
from ..files import fingerprint
from ..sampling import check_whole
from ._autoencoder import autoencoder, convolves, finished
from ._devices import copied, split_over, whole
from ._encoding import Encoding, named_encoding
from ._encounter import Encounter, Route
from ._latent_data import latent_pairs
from ._latent_judge import judge
from ._latent_told import learnt
from ._training import trained

METHOD = "symmetries in a latent"


def latent(
    x,
    y=None,
    *,
    latent_dim: int,
    n_generators: int = 1,
    route: Route = "direct",
    encoder: Callable | None = None,
    decoder: Callable | None = None,
    training: "str | Encoding" = "small",
    checkpoint: str | os.PathLike[str] | None = None,
    names: list[str] | None = None,
    seed: int = 0,
) -> Symmetries:
    """Symmetries of pairs (x, next x) that are linear in a latent which is learnt with them (LaLiGAN, and without GAN).

    The action is x -> decode(exp(sum_k c_k L_k) encode(x)), with L_k any matrices of gl(latent_dim). Encoder, decoder
    and L_k are trained together, so that the decoder gives the rows back and that moved pairs (g x, g y) have the
    distribution of pairs (x, y). Of a system with autonomous dynamics that always includes the dynamics themselves,
    where these are linear in the latent: in action and angle coordinates of a swinging pendulum the symmetry turns the
    angle, each orbit by the same share of its period, though the periods differ. It is found as what it is: a change of
    phase that commutes with time, not a second physical law.

    Trivial answers are excluded so: generators have size one, so that none is the identity; the latent has mean zero
    and covariance one, and the decoder must give rows back, so that it cannot collapse; and both the distribution of
    pairs and the equivariance of the latent dynamics are judged, so that a generator that only commutes with the
    dynamics, as a scaling does with linear ones, is not taken for a symmetry. A linear map that keeps a covariance of
    one turns: found generators are (nearly) antisymmetric, and of a plane there is one.

    Arguments:
        x: a list of trajectories (T, n), or an array (trajectories, T, n), two at least, each row one step after the
            one before; or (N, n) rows, with y: (N, n) their successors.
        latent_dim: how many coordinates, fewer than columns.
        n_generators: how many are sought.
        route: "direct" (default): before each block of steps generators are found by linear algebra, as the directions
            that change the moments of the latent pairs least, and the networks are then trained to lower that change.
            "adversarial": generators are trained to fool a discriminator of pairs, as published.
        encoder, decoder: modules of your own (equinox), (n,) -> (latent_dim,) and back, of rows in standard units (each
            column of mean 0 and spread 1). Default: perceptrons, the encoder's last matrix with orthonormal rows.
        training: "small" (default: half a CPU minute for 50 columns), "published", or a `lieder.learn.Encoding`.
        checkpoint: file from which training goes on where it was interrupted.
        names: of the columns. seed: of all that is drawn.
    Returns:
        Symmetries, whose candidates are gl(latent_dim) between encoder and decoder, and whose `.action` is the latent
        action. A defect is the equivariance error of the latent dynamics on held-out trajectories, moved by a quarter
        of their spread, beyond what a polynomial fit of the dynamics misses, relative to directions of gl(latent_dim)
        taken at random. "Cannot tell", with what to change, where the decoder misses too much, the latent collapsed, or
        moved pairs are told from pairs.
    Raises:
        ValueError, TypeError: for data, sizes and networks that cannot be used, in words. FloatingPointError where
            training fails at once.
    Reference: Yang, Dehmamy, Walters, Yu (2024), Latent space symmetry discovery, ICML; the direct route is ours.
    """
    how = named_encoding(training)
    if route not in ("direct", "adversarial"):
        raise ValueError(f"route must be 'direct' or 'adversarial', got {route!r}.")
    for name, number in (("latent_dim", latent_dim), ("n_generators", n_generators)):
        check_whole(number, name)
    asked = {"training": how, "route": route, "latent_dim": latent_dim, "n_generators": n_generators, "seed": seed}
    split = split_over(x, how.batch, asked)
    data = latent_pairs(whole(x), whole(y), names, seed, how.units == "common")
    n, k = data.x.shape[1], latent_dim
    _check_sizes(n, k, n_generators, encoder, decoder)
    start, course = jax.random.split(jax.random.key(seed))
    rows = data.standard()
    model = autoencoder(n, k, how.widths, start, encoder, decoder)
    rest = eqx.filter(model, eqx.is_inexact_array, inverse=True)
    game = Encounter(how, route, k, n_generators, rest, split, convolves(model, n, k))
    everywhere = copied(rows, split)
    begin = game.start(model, jax.random.fold_in(start, 1))
    done = trained(
        begin,
        partial(game.block, everywhere),
        partial(game.criterion, everywhere),
        blocks=game.blocks,
        key=course,
        title="A latent and what acts on it",
        mark=fingerprint(data.x, data.y, data.held, repr((how, route, k, n_generators, seed)), *_numbers(begin)),
        checkpoint=checkpoint,
        split=split,
    )
    model = game.model(done.best)
    v, normal, judged = judge(game, model, rows, data.kept_groups, done.best["v"])
    maps = finished(model, normal, data.centre, data.spread)
    source = encoded(vectors(gl(k)), *maps, n)
    named = pairs(data.x, data.y, source=source, target=source, names=list(data.names), method=METHOD)
    return named.recorded(learnt(how, route, v, judged, done.stopped, done.seconds), np.flatnonzero(data.held))


def _check_sizes(n: int, k: int, generators: int, encoder, decoder) -> None:
    if k >= n:
        raise ValueError(
            f"latent_dim: {k} coordinates were asked for, and the data have {n} columns: a latent holds fewer. Where"
            " the action is known on the columns themselves ask lieder.discover.adversarial or graph."
        )
    if generators > k * k:
        raise ValueError(f"n_generators: {generators} were asked for, but gl({k}) has {k * k}.")
    for argument, one, widths in (("encoder", encoder, (n, k)), ("decoder", decoder, (k, n))):
        if one is not None:
            check_map(one, argument, *widths)


def _numbers(state) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state["numbers"])]
