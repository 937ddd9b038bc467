r"""A hook of MkDocs: mathematics is typeset when the site is built, without a script or a network.

Formulas, written $..$ or on lines between $$, become MathML, which browsers set by themselves. In running text x_i and
R^3 get their subscripts and superscripts.
"""

import html
import re

from latex2mathml.converter import convert

# What pymdownx.arithmatex leaves for a script to typeset.
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\(?:\(|\[)(.*?)\\(?:\)|\])</\1>', re.DOTALL)
# Not running text: tags, code, headings (their words are anchors too), formulas, and what a reader types: "S_5".
KEPT = re.compile(
    r"(<(?:pre|code|math|h\d|script|style|svg)\b.*?</(?:pre|code|math|h\d|script|style|svg)>|<[^>]*>"
    r'|"[^"<>]{1,60}")',
    re.DOTALL,
)
SUBSCRIPT = re.compile(r"(?<![\w.])([A-Za-zα-ωΑ-Ω])_([A-Za-zα-ω\d*]|\{[^{}]*\})(?![\w_])")
SUPERSCRIPT = re.compile(r"(?<=[\w)\]|⟩>])\^(-?\w+(?:<sub>\w+</sub>)?|\*|\([^()]*\)|\{[^{}]*\})")


def on_page_content(content, **_):
    pieces = KEPT.split(FORMULA.sub(_typeset, content))
    pieces[::2] = [_raised(piece) for piece in pieces[::2]]
    return "".join(pieces)


def _typeset(formula: re.Match) -> str:
    text = html.unescape(formula[2]).strip()
    block = formula[1] == "div"
    mathml = convert(text, display="block" if block else "inline")
    return f'<div class="formula">{mathml}</div>' if block else mathml


def _raised(text: str) -> str:
    text = SUBSCRIPT.sub(lambda m: f"{m[1]}<sub>{m[2].strip('{}')}</sub>", text)
    text = text.replace("|_*", "|<sub>*</sub>")
    return SUPERSCRIPT.sub(lambda m: f"<sup>{m[1].strip('{}')}</sup>", text)
