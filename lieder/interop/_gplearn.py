"""Genetic programming by gplearn: a population of formulas, as plain lists of what they are made of."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

# What formulas are made of, and of how many arguments each is.
ARITIES = {
    "add": 2,
    "sub": 2,
    "mul": 2,
    "div": 2,
    "sqrt": 1,
    "log": 1,
    "neg": 1,
    "inv": 1,
    "abs": 1,
    "sin": 1,
    "cos": 1,
    "tan": 1,
}


class Program(NamedTuple):
    """A formula in prefix order: names of functions (keys of `ARITIES`), numbers of columns (int), constants (float).

    `fitness`: as it was given to the search, less is better.
    """

    nodes: tuple[str | int | float, ...]
    fitness: float


def programs(
    x: Float[np.ndarray, "N inputs"],
    fitness: Callable[[np.ndarray], float],
    *,
    functions: tuple[str, ...],
    population: int,
    generations: int,
    parsimony: float,
    seed: int,
) -> list[Program]:
    """Every formula that a search by genetic programming (gplearn) has tried.

    Arguments:
        x: rows at which formulas are evaluated.
        fitness: of the values (N,) of a formula at the rows; less is better.
        functions: keys of `ARITIES`.
        population: of each generation, and how many `generations`.
        parsimony: what one more node costs, in units of the fitness, while parents are chosen.
        seed: of the search.
    Returns: the formulas, each once, best first.
    Raises: ModuleNotFoundError, with the command to install it, where gplearn is not.
    """
    try:
        from gplearn.fitness import make_fitness
        from gplearn.genetic import SymbolicRegressor
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'Searching formulas needs gplearn, which is not installed: pip install "lieder[gplearn]".'
        ) from None

    # gplearn counts the arguments of a metric, and tries it on two numbers before it begins.
    measured = lambda _, values, __: fitness(values) if len(values) == len(x) else 0.0  # noqa: E731
    search = SymbolicRegressor(
        population_size=population,
        generations=generations,
        function_set=functions,
        metric=make_fitness(function=measured, greater_is_better=False, wrap=False),  # pyright: ignore[reportArgumentType]
        parsimony_coefficient=parsimony,
        const_range=(-2.0, 2.0),
        init_depth=(2, 5),
        p_crossover=0.7,
        p_subtree_mutation=0.1,
        p_hoist_mutation=0.05,
        p_point_mutation=0.1,
        random_state=seed,
    ).fit(x, np.zeros(len(x)))
    every = {}
    for found in (program for generation in search._programs for program in generation or ()):
        if found is not None and found.raw_fitness_ is not None and np.isfinite(found.raw_fitness_):
            nodes = tuple(map(_node, found.program))
            every.setdefault(nodes, Program(nodes, float(found.raw_fitness_)))
    return sorted(every.values(), key=lambda program: program.fitness)


def _node(node) -> str | int | float:
    """A function of gplearn by its name, a column by its number, a constant."""
    if isinstance(node, int | np.integer):
        return int(node)
    return float(node) if isinstance(node, float | np.floating) else str(node.name)
