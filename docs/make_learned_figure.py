"""Draw docs/images/learned.png: what an adversary finds of two bodies and of seven teeth, on its way and at its end.

python docs/make_learned_figure.py FOLDER    # trains where FOLDER/*.npz are not there: two CPU minutes
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import lieder as ld
from lieder.learn import _game
from lieder.learn._distribution import Coefficients

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

import seven_fold
import two_body

IMAGES = Path(__file__).parent / "images"
INK, GREY, ORANGE, BLUE = "#1f2430", "#6b7280", "#D55E00", "#0072B2"
TURN = np.array([[0.0, -1.0], [1.0, 0.0]])
SEEDS = 5
_game.BLOCK = 50  # a point of the courses below


def courses(x, y, settings: _game.Settings, **sides) -> np.ndarray:
    """Generators (blocks, SEEDS, q) while they are trained as `ld.discover.adversarial` trains them."""
    rows = ld.discover.pairs(x, y, **sides, method="a figure")
    on, game = _game.board(rows.rows, rows.motion, np.arange(len(x) // 5)), _game.Game(rows.question.both, settings)
    starts = [game.start(on, key) for key in jax.random.split(jax.random.key(0), SEEDS)]
    states, out = jax.tree.map(lambda *leaves: jnp.stack(leaves), *starts), []
    for number in range(settings.steps // _game.BLOCK):
        states, _ = game.block(on, states, jax.random.fold_in(jax.random.key(1), number))
        out.append(np.asarray(states["v"][:, 0] @ on.basis, float))
    return np.array(out)


def bodies() -> np.ndarray:
    states = two_body.orbits(400, 20)
    blocks = ld.vectors(ld.algebra.product(*[ld.algebra.gl(2)] * 4))
    settings = _game.Settings(1, Coefficients(), True, _game.Losses(), 128, 128, 1500, (3e-3, 1e-3), 0.1)
    now, later = (some.reshape(-1, 8) for some in (states[:, :-1], states[:, 1:]))
    return courses(now, later, settings, source=blocks, target=blocks, transition=True)


def teeth() -> np.ndarray:
    x, y = seven_fold.teeth(20000)
    of, space = seven_fold.SETTINGS, ld.vectors(ld.algebra.gl(3))
    coefficients = Coefficients(of["distribution"], of["spread"])
    settings = _game.Settings(
        1, coefficients, False, of["losses"], 128, of["batch"], of["steps"], of["rates"], of["smooth"], of["waves"]
    )
    return courses(x, y, settings, source=space, target=ld.scalars(space.algebra))


def kept(file: Path, run) -> np.ndarray:
    if not file.exists():
        np.save(file, run())
    return np.load(file)


def matrix(axes, found: np.ndarray, name: str) -> None:
    size = np.abs(found).max()
    axes.imshow(found, cmap="RdBu_r", vmin=-size, vmax=size)
    for (i, j), value in np.ndenumerate(found):
        if abs(value) > 0.005 * size or len(found) < 4:
            ink = "white" if abs(value) > size / 2 else INK
            axes.text(
                j,
                i,
                f"{value:.3f}" if len(found) < 4 else f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=7,
                color=ink,
            )
    axes.set_title(name, fontsize=9, color=INK)
    axes.set(xticks=[], yticks=[])


def main(folder: Path) -> None:
    two, seven = kept(folder / "two.npy", bodies), kept(folder / "seven.npy", teeth)
    figure = Figure(figsize=(10, 5.6), dpi=160, layout="constrained")
    (first, second, third), (fourth, fifth, sixth) = figure.subplots(2, 3, width_ratios=(1.5, 1.5, 1))
    truth = np.tile(TURN.ravel(), 4) / np.sqrt(8)
    cosines = np.abs(two @ truth) / np.linalg.norm(two, axis=2)
    read = np.array([[seven_fold.read(one) for one in some] for some in seven])
    steps = [50 * (1 + np.arange(len(some))) for some in (two, seven)]
    first.semilogy(steps[0], 1 - cosines, color=BLUE, lw=1)
    first.axhline(2e-4, color=GREY, lw=0.8, ls="--")
    first.set_title("two bodies: 1 - |cos| with the rotation", fontsize=9, color=INK)
    signs = np.sign(two[-1] @ truth)
    shown = [signs[k] * two[-1][k] / np.linalg.norm(two[-1][k]) * np.sqrt(8) for k in range(SEEDS)]
    for k, some in enumerate(shown):
        second.plot(np.arange(16) + 0.12 * (k - 2), some, ".", color=BLUE, ms=4)
    second.hlines(np.tile(TURN.ravel(), 4), np.arange(16) - 0.4, np.arange(16) + 0.4, color=ORANGE, lw=1.5)
    second.set_title("its 16 entries, five trainings, and the truth", fontsize=9, color=INK)
    whole = np.zeros((8, 8))
    for k in range(4):
        whole[2 * k : 2 * k + 2, 2 * k : 2 * k + 2] = shown[0].reshape(4, 2, 2)[k]
    matrix(third, whole, "the first of them")
    fourth.semilogy(steps[1], 1 - read[..., 0], color=BLUE, lw=1)
    fourth.axhline(1e-4, color=GREY, lw=0.8, ls="--")
    fourth.set_title("seven teeth: 1 - |cos| with the rotation", fontsize=9, color=INK)
    fifth.plot(steps[1], read[..., 1], color=BLUE, lw=1)
    for whole_number in (1, 2, 3):
        fifth.axhline(whole_number, color=ORANGE, lw=0.8, zorder=0)
    fifth.set_title("angle of a step, in teeth", fontsize=9, color=INK)
    fifth.set(ylim=(0, 3.2))
    best = int(np.argmin(np.abs(read[-1, :, 1] - np.round(read[-1, :, 1])) + 10 * (read[-1, :, 1] < 0.5)))
    matrix(sixth, seven[-1][best].reshape(3, 3), "a step, over gl(3)")
    for axes in (first, second, fourth, fifth):
        axes.tick_params(colors=GREY, labelsize=8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    for axes in (first, fourth, fifth):
        axes.set_xlabel("steps of training", fontsize=8, color=GREY)
    second.set_xlabel("entries of four blocks", fontsize=8, color=GREY)
    figure.savefig(IMAGES / "learned.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
