"""Pictures, checked, and relative to what they have in common."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

LEAST = 20  # pictures, below which nothing can be held out
RIM = 0.1  # of the largest deviation: a background nearer to zero is taken for zero


@dataclass(frozen=True, eq=False)
class Standard:
    """Pictures relative to their background, in units of their root mean square.

    Fields: `background` (c,); `size`.
    """

    background: Float[np.ndarray, " c"]
    size: float

    def inward(self, pictures: Float[np.ndarray, "n c h w"]) -> Float[np.ndarray, "n c h w"]:
        """As networks see them, float32."""
        return ((pictures - self.background[:, None, None]) / self.size).astype(np.float32)

    def outward(self, pictures: Float[Array | np.ndarray, "*n c h w"]) -> Float[np.ndarray, "*n c h w"]:
        """As they came."""
        return np.asarray(pictures) * np.float32(self.size) + self.background[:, None, None]


def checked_pictures(images: ArrayLike) -> Float[np.ndarray, "n c h w"]:
    """Pictures as (N, channels, rows, columns) float32.

    Raises: TypeError, ValueError for what are none, and for those of which nothing can be learnt.
    """
    given = np.asarray(images)
    if given.dtype.kind not in "fiub":
        raise TypeError(f"images: expected real numbers, got dtype {given.dtype}.")
    if given.ndim not in (3, 4):
        raise ValueError(
            f"images: expected (N, rows, columns) or (N, channels, rows, columns), got shape {given.shape}."
        )
    if given.ndim == 4 and given.shape[3] in (1, 3) and given.shape[1] > 4:
        raise ValueError(f"images: shape {given.shape} looks as if channels came last; pass np.moveaxis(images, 3, 1).")
    pictures = given.astype(np.float32)
    pictures = pictures[:, None] if pictures.ndim == 3 else pictures
    if len(pictures) < LEAST or min(pictures.shape[2:]) < 4:
        raise ValueError(
            f"images: {len(pictures)} pictures of {pictures.shape[2]} x {pictures.shape[3]} pixels came; at least"
            f" {LEAST} of 4 x 4 are needed."
        )
    bad = np.asarray(~np.isfinite(pictures).all(axis=(1, 2, 3)))
    if bad.any():
        raise ValueError(
            f"images: {bad.sum()} of {len(bad)} pictures hold NaN or infinite values, the first is number"
            f" {int(np.argmax(bad))}. Leave them out."
        )
    flat = np.ptp(pictures.reshape(*pictures.shape[:2], -1), axis=2).max(axis=1) == 0
    if flat.any():
        raise ValueError(
            f"images: {flat.sum()} of {len(flat)} pictures have one colour all over (constant pixels), the first is"
            f" number {int(np.argmax(flat))}: nothing can be read off them. Leave them out."
        )
    return pictures


def standard(pictures: Float[np.ndarray, "n c h w"], moves: bool) -> Standard:
    """The background, zero unless places move and the rim is of another colour, and the root mean square above it."""
    rim = np.ones(pictures.shape[2:], bool)
    rim[1:-1, 1:-1] = False
    background = np.median(pictures[:, :, rim], axis=(0, 2)) if moves else np.zeros(pictures.shape[1])
    away = np.abs(pictures - background[:, None, None]).max()
    background = np.where(np.abs(background) > RIM * away, background, 0.0)
    size = float(np.sqrt(np.mean((pictures - background[:, None, None]) ** 2)))
    return Standard(background.astype(np.float32), max(size, 1e-30))


def pictures_like(images: ArrayLike, shape: tuple[int, ...]) -> Float[np.ndarray, "n c h w"]:
    """More pictures of a shape, (rows, columns) or (channels, rows, columns).

    Raises: ValueError for others, and for pixels that are not finite.
    """
    given = np.asarray(images, np.float32)
    if given.shape[1:] != shape or given.ndim != len(shape) + 1 or not len(given):
        raise ValueError(f"images: expected (n, {', '.join(map(str, shape))}), got shape {given.shape}.")
    if not np.isfinite(given).all():
        raise ValueError("images: some pixels are NaN or infinite.")
    return given if len(shape) == 3 else given[:, None]
