"""Solutions of six partial differential equations on a periodic box, by Fourier series in space.

    heat, burgers, potential_burgers, kdv: u(t, x);  wave, schroedinger, reaction_diffusion: u(t, x, y)

Linear parts are integrated exactly, and the rest by the exponential Runge-Kutta method of order 4 (Cox, Matthews, 2002,
with the contour integrals of Kassam, Trefethen, 2005). Each function returns `u, grids`: samples of shape (solutions,
fields, t, x[, y]), from random smooth starts, and the axes (t, x[, y]).
"""

import numpy as np


def etdrk4(linear, nonlinear, start, times, steps):
    """u' = linear u + nonlinear(u) for Fourier coefficients: (len(times), *start.shape); `steps` between two times."""
    h = (times[1] - times[0]) / steps
    z = h * linear[..., None] + np.exp(2j * np.pi * (np.arange(32) + 0.5) / 32)

    def mean(f):
        return h * np.mean(f, axis=-1)

    whole, half = np.exp(h * linear), np.exp(h * linear / 2)
    q = mean((np.exp(z / 2) - 1) / z)
    f1 = mean((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3)
    f2 = mean((2 + z + np.exp(z) * (z - 2)) / z**3)
    f3 = mean((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3)
    u, out = start, [start]
    for _ in times[1:]:
        for _ in range(steps):
            n0 = nonlinear(u)
            a = half * u + q * n0
            na = nonlinear(a)
            b = half * u + q * na
            nb = nonlinear(b)
            c = half * a + q * (2 * nb - n0)
            u = whole * u + f1 * n0 + 2 * f2 * (na + nb) + f3 * nonlinear(c)
        out.append(u)
    return np.stack(out)


def line(samples, length):
    """Points of a periodic interval, and wave numbers."""
    return np.arange(samples) * length / samples, 2 * np.pi / length * np.fft.fftfreq(samples, 1 / samples)


def smooth(rng, size, shape, waves):
    """Random smooth functions (size, *shape) of zero mean and unit rms, of at most `waves` waves a side."""
    spectrum = np.fft.fftn(rng.normal(size=(size, *shape)), axes=range(1, 1 + len(shape)))
    square = sum(np.square(k) for k in np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij"))
    spectrum = spectrum * np.exp(-square / waves**2 * 2) * (square > 0)
    u = np.fft.ifftn(spectrum, axes=range(1, 1 + len(shape))).real
    return u / u.std(axis=tuple(range(1, 1 + len(shape))), keepdims=True)


def calm(k):
    """A mask that leaves out the upper third of wave numbers, where products would fold back (Orszag)."""
    return np.abs(k) <= np.abs(k).max() * 2 / 3


def heat(solutions=10, samples=128, times=100, seed=0, length=2 * np.pi, end=1.0, waves=6):
    """u_t = u_xx."""
    x, k = line(samples, length)
    t = np.linspace(0, end, times)
    start = np.fft.fft(smooth(np.random.default_rng(seed), solutions, (samples,), waves))
    u = np.fft.ifft(start[:, None] * np.exp(-(k**2) * t[:, None]), axis=-1).real
    return u[:, None], (t, x)


def burgers(solutions=10, samples=128, times=100, seed=0, viscosity=0.1, length=2 * np.pi, end=1.0, waves=4):
    """u_t = -u u_x + viscosity u_xx."""
    x, k = line(samples, length)
    t, keep = np.linspace(0, end, times), calm(k)

    def nonlinear(v):
        return -0.5j * k * keep * np.fft.fft(np.fft.ifft(v).real ** 2)

    start = np.fft.fft(smooth(np.random.default_rng(seed), solutions, (samples,), waves))
    v = etdrk4(-viscosity * k**2, nonlinear, start, t, 4)
    return np.fft.ifft(v).real.swapaxes(0, 1)[:, None], (t, x)


def potential_burgers(solutions=10, samples=128, times=100, seed=0, length=2 * np.pi, end=1.0, waves=4):
    """u_t = u_xx + u_x^2."""
    x, k = line(samples, length)
    t, keep = np.linspace(0, end, times), calm(k)

    def nonlinear(v):
        return keep * np.fft.fft(np.fft.ifft(1j * k * v).real ** 2)

    start = np.fft.fft(smooth(np.random.default_rng(seed), solutions, (samples,), waves) / 2)
    v = etdrk4(-(k**2), nonlinear, start, t, 4)
    return np.fft.ifft(v).real.swapaxes(0, 1)[:, None], (t, x)


def kdv(solutions=10, samples=128, times=150, seed=0, length=20.0, end=1.0, waves=6):
    """u_t = -u u_x - u_xxx."""
    x, k = line(samples, length)
    t, keep = np.linspace(0, end, times), calm(k)

    def nonlinear(v):
        return -0.5j * k * keep * np.fft.fft(np.fft.ifft(v).real ** 2)

    start = np.fft.fft(smooth(np.random.default_rng(seed), solutions, (samples,), waves))
    v = etdrk4(1j * k**3, nonlinear, start, t, 4)
    return np.fft.ifft(v).real.swapaxes(0, 1)[:, None], (t, x)


def plane(samples, length):
    """Points along one side of a periodic square, and wave numbers along both."""
    x, k = line(samples, length)
    return x, *np.meshgrid(k, k, indexing="ij")


def wave(solutions=4, samples=32, times=60, seed=0, length=2 * np.pi, end=1.5, waves=4):
    """u_tt = u_xx + u_yy."""
    x, kx, ky = plane(samples, length)
    rng, t = np.random.default_rng(seed), np.linspace(0, end, times)
    pace = np.sqrt(kx**2 + ky**2)
    u, v = (np.fft.fft2(smooth(rng, solutions, (samples, samples), waves))[:, None] for _ in range(2))
    turn = pace * t[:, None, None]
    moved = u * np.cos(turn) + v * np.sin(turn) / np.where(pace > 0, pace, 1.0) * 2
    return np.fft.ifft2(moved).real[:, None], (t, x, x)


def schroedinger(solutions=4, samples=48, times=60, seed=0, length=2 * np.pi, end=0.25, waves=2):
    """i w_t = -(w_xx + w_yy) / 2 + |w|^2 w,  w = u + i v."""
    x, kx, ky = plane(samples, length)
    t, keep = np.linspace(0, end, times), calm(kx) & calm(ky)

    def nonlinear(v):
        w = np.fft.ifft2(v)
        return -1j * keep * np.fft.fft2(np.abs(w) ** 2 * w)

    real, imaginary = smooth(np.random.default_rng(seed), 2 * solutions, (samples, samples), waves).reshape(
        2, solutions, samples, samples
    )
    v = etdrk4(-0.5j * (kx**2 + ky**2), nonlinear, keep * np.fft.fft2(real + 1j * imaginary), t, 8)
    w = np.fft.ifft2(v).swapaxes(0, 1)
    return np.stack([w.real, w.imag], axis=1), (t, x, x)


def reaction_diffusion(solutions=4, samples=48, times=60, seed=0, diffusion=0.1, length=2 * np.pi, end=0.75, waves=2):
    """w_t = diffusion (w_xx + w_yy) + (1 - |w|^2) w - i |w|^2 w,  w = u + i v: the lambda-omega system."""
    x, kx, ky = plane(samples, length)
    t, keep = np.linspace(0, end, times), calm(kx) & calm(ky)

    def nonlinear(v):
        w = np.fft.ifft2(v)
        square = np.abs(w) ** 2
        return keep * np.fft.fft2((1 - square - 1j * square) * w)

    real, imaginary = smooth(np.random.default_rng(seed), 2 * solutions, (samples, samples), waves).reshape(
        2, solutions, samples, samples
    )
    v = etdrk4(-diffusion * (kx**2 + ky**2), nonlinear, keep * np.fft.fft2(real + 1j * imaginary), t, 4)
    w = np.fft.ifft2(v).swapaxes(0, 1)
    return np.stack([w.real, w.imag], axis=1), (t, x, x)


ALL = (heat, burgers, potential_burgers, kdv, wave, schroedinger, reaction_diffusion)

if __name__ == "__main__":
    for solve in ALL:
        u, grids = solve(solutions=1)
        print(f"{solve.__name__:20} {u.shape!s:24} from {u.min():6.2f} to {u.max():5.2f}")
