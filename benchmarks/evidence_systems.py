"""Polynomial systems with exactly known affine symmetries: their coefficients, and the dimension of the algebra.

    python benchmarks/evidence_systems.py

writes evidence_systems.json, which evidence.py reads. The chaotic flows are those of the Python package dysts (Gilpin,
Chaos as an interpretable benchmark for forecasting and data-driven modelling, 2021) that are polynomials of degree 2 or
3 in three variables; the package is read, not run, and need not be installed for evidence.py. The constructions are our
own. Affine fields that commute with a flow, or annihilate a function, are a null space over the rationals.
"""

import ast
import importlib.util
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import sympy

HERE = Path(__file__).parent / "evidence_systems.json"
X = sympy.symbols("x y z")

# Functions (one component) under aff(3), and flows (three) under the same fields and their lift.
FUNCTIONS = {
    "sphere": "x**2 + y**2 + z**2",
    "cylinder": "x**2 + y**2",
    "cylinder and slope": "x**2 + y**2 + z",
    "hyperboloid": "x**2 + y**2 - z**2",
    "plane": "x - 2*y + z/2",
    "saddle": "x*y",
    "saddle and height": "x*y + z",
    "product": "x*y*z",
    "spheroid": "x**2 + y**2 + 3*z**2 + z**3",
    "twisted": "x*y + z**3",
    "cone": "z*(x**2 + y**2)",
    "no symmetry, cubic": "x**3 + x*y + y**3 + z**3 + z**2*x",
    "sphere, bent a little": "x**2 + y**2 + z**2 + (x**3 - 3*x*y**2 + x*y*z)/16",
    "sphere, bent": "x**2 + y**2 + z**2 + (x**3 - 3*x*y**2 + x*y*z)/8",
}
FLOWS = {
    "rotation and growth": "-y + x/10, x + y/10, -z",
    "isotropic decay": "-x, -y, -z",
    "nodes": "-x, -2*y, -3*z",
    "Hopf": "x - y - x*(x**2 + y**2), x + y - y*(x**2 + y**2), -z",
    "Hopf, coupled": "x*z - y, y*z + x, 1 - x**2 - y**2 - z",
    "radial": "x*(1 - x**2 - y**2 - z**2), y*(1 - x**2 - y**2 - z**2), z*(1 - x**2 - y**2 - z**2)",
    "drift": "1 + y**2, y - y*z, -z + y**2",
    "Hopf, bent": "x*z - y + x**2/8, y*z + x, 1 - x**2 - y**2 - z",
}


def dysts_flows() -> dict[str, list[sympy.Expr]]:
    """The right-hand sides of three variables, with the package's parameters as fractions; none without the package."""
    found = importlib.util.find_spec("dysts")
    if found is None or found.submodule_search_locations is None:
        return {}
    folder = Path(next(iter(found.submodule_search_locations)))
    parameters = json.loads((folder / "data" / "chaotic_attractors.json").read_text())
    flows = {}
    for thing in ast.parse((folder / "flows.py").read_text()).body:
        if not isinstance(thing, ast.ClassDef) or thing.name not in parameters:
            continue
        for rhs in (f for f in thing.body if isinstance(f, ast.FunctionDef) and f.name == "_rhs"):
            names = [argument.arg for argument in rhs.args.args]
            if len(names) < 4 or names[3] != "t":
                continue
            rhs.decorator_list = []
            scope: dict = {"np": sympy}
            exec(compile(ast.Module([rhs], []), "flows", "exec"), scope)
            given = parameters[thing.name]["parameters"]
            try:
                values = [sympy.nsimplify(given[name], rational=True) for name in names[4:]]
                found = scope["_rhs"](*X, sympy.Integer(0), *values)
                right = [sympy.nsimplify(sympy.expand(e), rational=True) for e in found]
                polynomials = [sympy.Poly(e, *X) for e in right]
            except (sympy.PolynomialError, TypeError, KeyError, AttributeError):
                continue
            if max(p.total_degree() for p in polynomials) in (2, 3) and not any(e.free_symbols - set(X) for e in right):
                flows[thing.name] = right
    return flows


def affine_fields() -> list[list[sympy.Expr]]:
    fields = []
    for row, factor in product(range(3), [*X, sympy.Integer(1)]):
        fields.append([factor if i == row else sympy.Integer(0) for i in range(3)])
    return fields


def dimension(right: Sequence[sympy.Basic]) -> int:
    """Of the affine fields that leave a function, or a flow, as it is, but for those that move nothing."""
    columns = []
    for field in affine_fields():
        moved = [sum(sympy.diff(u, v) * f for v, f in zip(X, field, strict=True)) for u in right]
        if len(right) == 3:
            turned = [sum(sympy.diff(f, v) * u for v, u in zip(X, right, strict=True)) for f in field]
            moved = [a - b for a, b in zip(moved, turned, strict=True)]
        columns.append({(i, power): value for i, e in enumerate(moved) for power, value in sympy.Poly(e, *X).terms()})
    keys = sorted({key for column in columns for key in column})
    matrix = sympy.Matrix([[column.get(key, 0) for column in columns] for key in keys])
    return 12 - matrix.rank()


def main() -> None:
    systems = {name: [sympy.sympify(text)] for name, text in FUNCTIONS.items()}
    systems |= {name: list(sympy.sympify(f"({text})").args) for name, text in FLOWS.items()}
    systems |= dysts_flows()
    out = {}
    for name, right in systems.items():
        terms = [[[list(power), str(value)] for power, value in sympy.Poly(e, *X).terms()] for e in right]
        degree = max(sympy.Poly(e, *X).total_degree() for e in right)
        out[name] = {"terms": terms, "degree": int(degree), "dimension": dimension([sympy.sympify(e) for e in right])}
    HERE.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")
    print(f"{len(out)} systems, {sum(v['dimension'] > 0 for v in out.values())} with symmetries: {HERE}")


if __name__ == "__main__":
    main()
