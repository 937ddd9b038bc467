"""What a check of a model found, as a record that prints a table."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .. import report


@dataclass(frozen=True, eq=False)
class Check:
    """How far each layer of a model is from being equivariant.

    A relative error compares with what an equivariant layer would show: root mean squares over examples of L_k f over
    those of f times the rate at which generator k turns inputs or outputs, whichever is larger; of f(g x) - g f(x) over
    those of f. 0 is exact, about 1 is none at all.

    Fields:
        layers: their names, in order.
        generators, elements: names of the q generators and c discrete elements.
        errors: (layers, q), each layer's own Lie derivative, relative.
        discrete: (layers, c), each layer's own error under the discrete elements, relative.
        finite: (layers,), the worst of each layer's own errors under random elements of the group, relative.
        contributions: (layers, q), each layer's Lie derivative pushed forward to the output, relative.
        lee: (layers, q), the same in squares of the outputs: mean over examples and output coordinates. Summed over
            layers before squaring, contributions are the Lie derivative of the model.
        total: (q,), (c,) and a number: errors of the whole model, as `errors`, `discrete` and `finite`.
        tolerance: up to which an error is rounding.
        unseen: generators and elements that move inputs elsewhere, but none of these examples: what they do to the
            model cannot be told.
    Reference: Gruver, Finzi, Goldblum and Wilson, The Lie Derivative for Measuring Learned Equivariance, ICLR 2023,
        section 4 for the error of layers, equation 5.
    """

    layers: tuple[str, ...]
    generators: tuple[str, ...]
    elements: tuple[str, ...]
    errors: Float[np.ndarray, "layers q"]
    discrete: Float[np.ndarray, "layers c"]
    finite: Float[np.ndarray, " layers"]
    contributions: Float[np.ndarray, "layers q"]
    lee: Float[np.ndarray, "layers q"]
    total: tuple[Float[np.ndarray, " q"], Float[np.ndarray, " c"], float]
    tolerance: float
    unseen: tuple[str, ...] = ()

    @property
    def worst(self) -> Float[np.ndarray, " layers"]:
        """(layers,), the largest error of each layer."""
        every = np.concatenate([self.errors, self.discrete, self.finite[:, None]], axis=1)
        return np.where(np.isnan(every), np.inf, every).max(axis=1)

    @property
    def is_equivariant(self) -> bool:
        """True when the model as a whole keeps the symmetry up to the tolerance, and the examples could tell."""
        whole = np.concatenate([self.total[0], self.total[1], [self.total[2]]])
        return bool((whole <= self.tolerance).all()) and not self.unseen

    @property
    def first(self) -> int | None:
        """The number of the first layer above the tolerance, or None."""
        above = np.flatnonzero(self.worst > self.tolerance)
        return int(above[0]) if len(above) else None

    @property
    def summary(self) -> str:
        """The answer in a sentence."""
        first = self.first
        if first is None and self.unseen:
            return (
                f"cannot tell: {', '.join(self.unseen[:6])}{', ...' if len(self.unseen) > 6 else ''} move"
                f"{'s' * (len(self.unseen) == 1)} none of the examples, such as x = 0; take x that every generator and"
                " element moves"
            )
        if first is None:
            return f"equivariant: all layers to {self.worst.max():.2g} (tolerance {self.tolerance:.2g})"
        error = self.worst[first]
        whole = max([*self.total[0], *self.total[1], self.total[2]])
        return (
            f"layer {first}, {self.layers[first]}, breaks equivariance by {error:.2g} under {self._cause(first)}"
            f" (tolerance {self.tolerance:.2g}); the whole model by {whole:.2g}"
        )

    def _cause(self, layer: int) -> str:
        both = np.nan_to_num(np.concatenate([self.errors[layer], self.discrete[layer]]), nan=np.inf)
        names = (*self.generators, *self.elements)
        if len(both) and both.max() > self.tolerance:
            return names[int(both.argmax())]
        return "random group elements"

    def __repr__(self) -> str:
        columns = ["layer", "error", "worst for", "generators", "discrete", "group elements", "share of the total"]
        rows = []
        for number, name in enumerate(self.layers):
            rows.append(
                [
                    f"{number} {name}",
                    f"{self.worst[number]:.2g}",
                    self._cause(number) if self.worst[number] > self.tolerance else "",
                    *(
                        f"{part.max():.2g}" if part.size else ""
                        for part in (self.errors[number], self.discrete[number])
                    ),
                    f"{self.finite[number]:.2g}",
                    f"{self.contributions[number].max():.2g}" if self.contributions.size else "",
                ]
            )
        generators, discrete, finite = self.total
        worst = max([*generators, *discrete, finite])
        cells = [f"{part.max():.2g}" if part.size else "" for part in (generators, discrete)]
        rows.append(["whole model", f"{worst:.2g}", "", *cells, f"{finite:.2g}", ""])
        return report.render(report.table(rows, columns), self.summary)
