r"""Equations of docstrings, which are plain text such as `|L_F|_* <= sqrt(2) sum_i w_i^2`, as LaTeX."""

import re

GREEK = {"alpha", "beta", "theta", "phi", "rho", "xi", "pi", "lambda", "sigma", "omega"}
NAMED = {
    "sum": r"\sum",
    "int": r"\int",
    "sqrt": r"\sqrt",
    "cos": r"\cos",
    "sin": r"\sin",
    "exp": r"\exp",
    "min": r"\min",
}
SIGNS = {"<=": r"\le", ">=": r"\ge", "->": r"\to", "~": r"\approx", "..": r"\dots"}
TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|<=|>=|->|\.\.|\s{2,}|.", re.DOTALL)
WORDS = {"x", "dt", "dx", "dF", "dxi", "DF", "Db", "Dtheta"}  # more than one letter, and yet no word


def is_equation(text: str) -> bool:
    """Whether an indented paragraph is one line of mathematics, and not code or a drawing."""
    return (
        "\n" not in text.strip()
        and bool(re.search(r"[=|^_]", text))
        and not re.search(r"\bld\.|[\"#@]|==|\w\.\w|\w=\w", text)
    )


def tex(text: str) -> str:
    """The equation in LaTeX: greek letters, sums, roots and fractions of subscripts; other words stand upright."""
    text = re.sub(r"sqrt\(([^()]*(?:\([^()]*\)[^()]*)*)\)", lambda m: f"sqrt{{{m[1]}}}", text.strip())
    # Subscripts and superscripts: one word, number or bracket, or what stands in braces.
    text = re.sub(r"([_^])(-?[A-Za-z0-9']+)", lambda m: f"{m[1]}{{{m[2]}}}", text)
    text = "".join(_token(token) for token in TOKEN.findall(text))
    # Words that follow each other are one text, with room before and after it.
    text = re.sub(r"\} \\text\{", " ", text)
    text = re.sub(r" (?=\\text\{)", r" \\; ", text)
    return re.sub(r"(\\text\{[^}]*\}) (?=[\w\\(])", r"\1 \\; ", text)


def _token(token: str) -> str:
    if token.isspace():
        return r" \quad " if len(token) > 1 else " "
    if token in GREEK:
        return f"\\{token} "
    if token in NAMED:
        return f"{NAMED[token]} "
    if token in SIGNS:
        return f"{SIGNS[token]} "
    if token.isalpha() and len(token) > 1 and token not in WORDS:
        return rf"\text{{{token}}}"
    return token
