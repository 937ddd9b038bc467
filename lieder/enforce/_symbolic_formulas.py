"""Formulas of a search: written out, their constants fitted, and the shortest that predicts as well as the best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from ..interop import ARITIES, Program
from ..late import sympy

if TYPE_CHECKING:
    from sympy import Expr, Symbol

_SHAPES = 12  # formulas of different lengths that are fitted and judged
_LONGEST = 40  # nodes: what is longer explains nothing to a reader
_PART, _PARTS, _TERMS = 7, 4000, 6  # most nodes of a part, most parts, most terms of a sum
_SAME = 1e-6  # of a part's length: what the parts taken leave of one that they hold already
_CANCELLED = 1e-11  # of the largest coefficient, columns being of one size: less is what rounding left of two terms
_TELLING = 1e-9  # share of y that a term explains, at least: less is rounding
_ROUNDING = 1e-20  # of the mean square of y: errors below it are none
_HUGE = 1e6  # in units of the data: a formula with a pole at a row

_WRITTEN: dict[str, Callable] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "inv": lambda a: 1 / a,
    "sqrt": lambda a: sympy.sqrt(sympy.Abs(a)),
    "log": lambda a: sympy.log(sympy.Abs(a)),
    "abs": lambda a: sympy.Abs(a),
    "sin": lambda a: sympy.sin(a),
    "cos": lambda a: sympy.cos(a),
    "tan": lambda a: sympy.tan(a),
}
_COMPUTED: dict[str, Callable] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "inv": np.reciprocal,
    "sqrt": lambda a: np.sqrt(np.abs(a)),
    "log": lambda a: np.log(np.abs(a)),
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
}


@dataclass(frozen=True, eq=False)
class Formula:
    """One formula with its constants.

    Fields: `expression` in the columns and constants; `constants`, their symbols, and `values`; `length` in nodes.
    """

    expression: "Expr"
    constants: "tuple[Symbol, ...]"
    values: Float[np.ndarray, " constants"]
    length: int

    @property
    def written(self) -> "Expr":
        """With numbers for its constants; multiplied out, where terms cancel to rounding."""
        numbers = self.expression.subs(dict(zip(self.constants, map(float, self.values), strict=True)))
        terms = [term.as_coeff_Mul() for term in sympy.Add.make_args(sympy.expand(numbers))]
        most = max(abs(c) for c, _ in terms)
        kept = [c * rest for c, rest in terms if abs(c) > _CANCELLED * most]
        return numbers if len(kept) == len(terms) else sympy.Add(*kept)


def scaled(values: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """a and b of the least weighted squares of a + b values - y: a search looks for shapes, and these are for free.

    Reference: Keijzer, Improving symbolic regression with interval arithmetic and linear scaling, EuroGP 2003.
    """
    total = weight.sum()
    mean = float(weight @ y / total)
    if not np.abs(values).max() < _HUGE:
        return mean, 0.0
    middle = weight @ values / total
    spread = weight @ (values - middle) ** 2
    slope = float(weight @ ((values - middle) * (y - mean)) / spread) if spread > 0 else 0.0
    return float(mean - slope * middle), slope


def rescaled(values: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """a + b values, with a and b by the first of them, which belong to y; a alone where there is no slope to be had."""
    shift, slope = scaled(values[: len(y)], y, weight)
    return shift + slope * values if slope else np.full(len(values), shift)


def written(program: Program, columns: "Sequence[Symbol]", shifted: bool) -> Formula:
    """The formula of a program times a number, plus another where it is `shifted`; a symbol for each constant."""
    nodes, values, constants = list(program.nodes)[::-1], [], []
    if _moves(program.nodes) or len(program.nodes) > 1:
        # As the search judged it: a formula stands for all its multiples, and for what a constant adds.
        nodes = [*nodes, 1.0, "mul"]
        nodes = [*nodes, 0.0, "add"] if shifted else nodes

    def one() -> "Expr":
        node = nodes.pop()
        if isinstance(node, str):
            return _WRITTEN[node](*[one() for _ in range(ARITIES[node])])
        if isinstance(node, int):
            return columns[node]
        constants.append(sympy.Symbol(f"c_{len(constants)}"))
        values.append(node)
        return constants[-1]

    length = len(nodes)
    return Formula(one(), tuple(constants), np.array(values, float), length)


def parts(program: Program) -> list[tuple[str | int | float, ...]]:
    """Every formula inside a formula, as nodes: those that begin at each of its nodes."""
    found = []
    for start in range(len(program.nodes)):
        open_places, end = 1, start
        while open_places:
            node = program.nodes[end]
            open_places += (ARITIES[node] if isinstance(node, str) else 0) - 1
            end += 1
        found.append(program.nodes[start:end])
    return found


def sums(
    population: Sequence[Program],
    columns: "Sequence[Symbol]",
    used: set[str],
    rows: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
) -> list[Program]:
    """Sums of few parts of the best formulas, those parts that together explain y, one more in each.

    A search finds the terms of a sum in different formulas sooner than the sum. They are picked one after another, each
    the one that explains most of what is left (orthogonal least squares, Chen, Billings and Luo 1989; as in Arnaldo,
    Krawiec and O'Reilly, Multiple regression genetic programming, GECCO 2014).
    """
    # Parts with constants in them are many, and hardly differ: the terms of a sum have factors of their own.
    small = dict.fromkeys(part for program in population for part in parts(program) if _is_term(part))
    # A small population soon forgets what is in none of its best: two columns at a time are tried in any case.
    pairs = [
        (name, i, j) for name in sorted({"mul", "div"} & used) for i in range(len(columns)) for j in range(len(columns))
    ]
    small |= dict.fromkeys(pair for pair in pairs if pair[0] == "div" or pair[1] <= pair[2])
    root = np.sqrt(weight)
    terms, size, values = [], [], []
    for nodes in sorted(small, key=len)[:_PARTS]:
        value = root * _computed(nodes, rows)
        if np.abs(value).max() < _HUGE and np.ptp(value) > 0:
            terms.append(nodes)
            size.append(np.linalg.norm(value))
            values.append(value / size[-1])
    found, taken, rest = [], [], root * y
    table = np.array(values).reshape(len(values), len(y)).T
    free = table.copy()  # what of each part those that are taken do not hold already
    while len(taken) < min(_TERMS, len(values)):
        left = np.linalg.norm(free, axis=0)
        gain = np.where(left > _SAME, np.abs(rest @ free) / np.maximum(left, _SAME), -1.0)
        gain[taken] = -1.0
        taken.append(int(np.argmax(gain)))
        unit = free[:, taken[-1]] / max(left[taken[-1]], _SAME)
        free = free - np.outer(unit, unit @ free)
        c = np.linalg.lstsq(table[:, taken], root * y, rcond=None)[0]
        rest = root * y - table[:, taken] @ c
        nodes: tuple[str | int | float, ...] = ()
        telling = np.abs(c) > _TELLING * np.linalg.norm(root * y)
        for place, share in [one for one, tells in zip(zip(taken, c, strict=True), telling, strict=True) if tells]:
            term = ("mul", float(share / size[place]), *terms[place])
            nodes = ("add", *nodes, *term) if nodes else term
        if nodes:
            found.append(Program(nodes, float(np.mean(rest**2))))
    return found


def _computed(nodes: tuple[str | int | float, ...], rows: np.ndarray) -> np.ndarray:
    """Values (N,) of a formula, whatever they are; much quicker than by writing it out."""
    stack: list[Any] = []
    with np.errstate(all="ignore"):
        for node in reversed(nodes):
            if isinstance(node, str):
                stack.append(_COMPUTED[node](*[stack.pop() for _ in range(ARITIES[node])]))
            else:
                stack.append(rows[:, node] if isinstance(node, int) else np.float64(node))
        return np.broadcast_to(stack.pop(), len(rows))


def _is_term(nodes: tuple) -> bool:
    return len(nodes) <= _PART and not any(isinstance(node, float) for node in nodes)


def _moves(nodes: tuple) -> bool:
    return any(isinstance(node, int) for node in nodes)


def evaluate(formula: Formula, columns: "Sequence[Symbol]") -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """(constants, rows (N, inputs)) -> values (N,), inf where they are not numbers."""
    function = sympy.lambdify([list(formula.constants), list(columns)], formula.expression, "numpy")

    def values(constants: np.ndarray, rows: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            found = np.broadcast_to(function(list(constants), list(rows.T)), len(rows))
        return np.where(np.isfinite(found), found, _HUGE).astype(float)

    return values


class Bound(NamedTuple):
    """What a formula must keep besides fitting data: `rows` where it is asked, and how far its values there are off.

    `violation`: (values,) -> numbers whose mean square is added to the mean square error.
    """

    rows: Float[np.ndarray, "asked inputs"]
    violation: Callable[[np.ndarray], np.ndarray]


def fitted(
    formula: Formula,
    columns: "Sequence[Symbol]",
    rows: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    bound: Bound | None,
) -> Formula:
    """The same formula with constants of least squares, from those that the search found."""
    if not len(formula.values):
        return formula
    of, root = evaluate(formula, columns), np.sqrt(weight)

    def residual(c: np.ndarray) -> np.ndarray:
        error = root * (of(c, rows) - y) / np.sqrt(len(y))
        if bound is not None:
            broken = bound.violation(of(c, bound.rows))
            error = np.concatenate([error, broken / np.sqrt(len(broken))])
        return np.clip(error, -_HUGE, _HUGE)

    found = least_squares(residual, formula.values, method="trf", max_nfev=50)
    return Formula(formula.expression, formula.constants, found.x, formula.length)


def chosen(
    population: Sequence[Program],
    columns: "Sequence[Symbol]",
    functions: Sequence[str],
    learnt: tuple[np.ndarray, np.ndarray, np.ndarray],
    held: tuple[np.ndarray, np.ndarray, np.ndarray],
    bound: Bound | None = None,
) -> tuple[Formula, float]:
    """The shortest formula whose error on held-out rows is within one standard error of the least.

    Arguments: `population`, best first; `columns`, symbols; `functions` that may be used; `learnt`, `held`: (rows,
        values, weights) to fit to and to judge by; `bound`, what formulas must keep besides.
    Returns: the formula, fitted to both, and its weighted mean square error on held-out rows before that.
    """
    best: dict[int, Program] = {}
    for program in population:
        if len(program.nodes) <= _LONGEST:
            best.setdefault(len(program.nodes), program)
    # Those that no shorter one beats: the front of length against fitness.
    front, least = [], np.inf
    for length in sorted(best):
        if best[length].fitness < least:
            front.append(best[length])
            least = best[length].fitness
    rows, y, weight = held
    judged: list[tuple[Formula, np.ndarray]] = []
    some = sorted(front, key=lambda program: program.fitness)[:_SHAPES]
    some = some + sums(population, columns, set(functions), *learnt)
    for program, shifted in [(program, shifted) for program in some for shifted in (False, True)]:
        formula = written(program, columns, shifted)
        if formula.expression.has(sympy.zoo, sympy.nan, sympy.oo):  # 1 / (x - x), which the search takes for a number
            continue
        formula = fitted(formula, columns, *learnt, bound)
        of = evaluate(formula, columns)
        squares = weight * (of(formula.values, rows) - y) ** 2
        if bound is not None:
            squares = squares + np.mean(bound.violation(of(formula.values, bound.rows)) ** 2)
        judged.append((formula, squares))
    if not judged:
        constant = sympy.Symbol("c_0")
        formula = fitted(Formula(constant, (constant,), np.zeros(1), 1), columns, *learnt, bound)
        judged = [(formula, weight * (y - float(formula.values[0])) ** 2)]
    errors = [float(squares.mean()) for _, squares in judged]
    ruling = int(np.argmin(errors))
    spread = [float(np.std(squares - judged[ruling][1]) / np.sqrt(len(y))) for _, squares in judged]
    none = _ROUNDING * float(np.mean(weight * y**2))
    good = [i for i in range(len(judged)) if errors[i] <= errors[ruling] + spread[i] + none]
    taken = min(good, key=lambda i: judged[i][0].length)
    rows, y, weight = (np.concatenate(pair) for pair in zip(learnt, held, strict=True))
    return fitted(judged[taken][0], columns, rows, y, weight, bound), errors[taken]
