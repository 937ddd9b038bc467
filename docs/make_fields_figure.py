"""Draw docs/images/fields.png: a gallery of steerable kernels, and the rotation test.

python docs/make_fields_figure.py
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import lieder as ld

IMAGE = Path(__file__).parent / "images" / "fields.png"
INK, GREY = "#1f2430", "#6b7280"
REACH, EXTENT = 3.2, (-3.2, 3.2, -3.2, 3.2)


def values(family, number, z):
    """One basis kernel at displacements z (p, 2): (p, m, n)."""
    c = jnp.zeros(family.dim).at[number].set(1.0)
    return np.asarray(jax.vmap(lambda p: family.apply(c, p))(jnp.asarray(z)))


def mesh(count):
    line = np.linspace(-REACH, REACH, count)
    x, y = np.meshgrid(line, line)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def picture(axes, family, number, title):
    """A number at each displacement."""
    field = values(family, number, mesh(121))[:, 0, 0].reshape(121, 121)
    top = np.abs(field).max()
    axes.imshow(field, origin="lower", extent=EXTENT, cmap="RdBu", vmin=-top, vmax=top)
    dress(axes, title)


def arrows(axes, family, number, title):
    """The vector that a unit of the first channel at the origin gives at each displacement."""
    z = mesh(121)
    size = np.linalg.norm(values(family, number, z)[:, :, 0], axis=1).reshape(121, 121)
    axes.imshow(size, origin="lower", extent=EXTENT, cmap="Blues", vmin=0, vmax=1.6 * size.max())
    z = mesh(12)
    v = values(family, number, z)[:, :, 0]
    axes.quiver(*z.T, *v.T, color=INK, pivot="mid", scale=1.1 * np.abs(v).max() * 12, width=0.011, headwidth=4)
    dress(axes, title)


def dress(axes, title):
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_color(GREY)


def rotation(row):
    """The same picture through a steerable operator and a plain convolution, before and after a turn."""
    g, n = ld.algebra.se(2), 48
    S, V = ld.scalars(g), ld.vectors(g)
    pictures = ld.action.grid(g, (n, n), S, derivative="spectral", indexing="xy")
    flows = ld.action.grid(g, (n, n), V, derivative="spectral", indexing="xy")
    op = ld.nn.IntegralOperator(S, V, size=9, indexing="xy", key=jax.random.key(3))
    weights = jax.random.normal(jax.random.key(4), op.stencil().shape) * jnp.std(op.stencil())

    def plain(u):
        return jax.lax.conv_general_dilated(jnp.pad(u, ((0, 0), (4, 4), (4, 4)))[None], weights, (1, 1), "VALID")[0]

    rng, x = np.random.default_rng(1), pictures.positions
    bumps = [rng.normal() * np.exp(-np.sum((x - c) ** 2, axis=1) / 8) for c in rng.uniform(-7, 7, (7, 2))]
    u = np.sum(bumps, axis=0)

    def turn(action, z):
        xi = np.array([[np.deg2rad(17.0), 0.0, 0.0]])
        return ld.action.moved(action, xi, np.asarray(z)[None], np.ones(1))[0, 0]

    shown = [("input", u.reshape(n, n), np.abs(u).max())]
    for name, apply in (("steerable", op), ("plain", plain)):
        run = lambda z, apply=apply: np.asarray(apply(jnp.asarray(z).reshape(1, n, n))).reshape(-1)  # noqa: E731
        want = turn(flows, run(u))
        missed = run(turn(pictures, u)) - want
        size = np.linalg.norm(want.reshape(2, -1), axis=0)
        if name == "steerable":
            shown.append(("steerable output, turned 17°", size.reshape(n, n), size.max()))
        error = np.linalg.norm(missed) / np.linalg.norm(want)
        number, power = f"{error:.0e}".split("e")
        text = f"{error:.2f}" if error > 0.01 else f"{number} × 10⁻{'⁰¹²³⁴⁵⁶⁷⁸⁹'[-int(power)]}"
        shown.append((f"{name}: error {text}", np.linalg.norm(missed.reshape(2, -1), axis=0).reshape(n, n), size.max()))
    for axes, (title, image, top) in zip(row, shown, strict=True):
        signed = title == "input"
        axes.imshow(
            image[9:39, 9:39], origin="lower", cmap="RdBu" if signed else "Blues", vmin=-top if signed else 0, vmax=top
        )
        dress(axes, title)


def figure() -> Figure:
    out = Figure(figsize=(7.8, 6.4), layout="constrained", facecolor="white")
    panels = out.subplots(3, 4)
    g = ld.algebra.se(2)
    S, V = ld.scalars(g), ld.vectors(g)
    family = lambda a, b: ld.enforce.kernels(a, b, degree=2, harmonic=True)  # noqa: E731
    picture(panels[0, 0], family(S, S), 0, "scalar to scalar")
    arrows(panels[0, 1], family(S, V), 0, "scalar to vector, 1 of 2")
    arrows(panels[0, 2], family(S, V), 1, "scalar to vector, 2 of 2")
    picture(panels[0, 3], family(V, S), 0, "vector (its x) to scalar")
    for i in range(4):
        arrows(panels[1, i], family(V, V), i, f"vector x to vector, {i + 1} of 4")
    rotation(panels[2])
    return out


if __name__ == "__main__":
    figure().savefig(IMAGE, dpi=110)
    with Image.open(IMAGE) as drawn:
        drawn.convert("RGB").save(IMAGE, optimize=True)
    print(f"{IMAGE.stat().st_size // 1024} kB")
