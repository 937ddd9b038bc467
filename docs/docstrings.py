"""An extension of griffe for the API pages: the sections of the house's docstrings become lists.

A section is `Arguments:`, `Fields:`, `Attributes:`, `Returns:`, `Raises:` or `Reference:`, at the start of a line or of
a sentence. Arguments and fields are told apart by the names that the signature, or the class, gives.
"""

import re
import sys
from pathlib import Path

import griffe

sys.path.insert(0, str(Path(__file__).parent))
from equations import is_equation, tex

TITLES = "Arguments, returns, raises|Arguments|Fields|Attributes|Returns|Raises|References|Reference"
SECTION = re.compile(rf"(?:^|\n|(?<=\.) )({TITLES}):(?=\s)")


class Sections(griffe.Extension):
    """Rewrite each docstring as Markdown, once."""

    def on_function(self, *, func, **_):
        _rewrite(func, [p.name for p in func.parameters])

    def on_class_members(self, *, cls, **_):
        _rewrite(cls, [name for name, member in cls.members.items() if member.is_attribute])

    def on_attribute(self, *, attr, **_):
        _rewrite(attr, [])


def _rewrite(thing, names: list[str]) -> None:
    if thing.docstring is not None:
        thing.docstring.value = markdown(thing.docstring.value, names)


def markdown(text: str, names: list[str]) -> str:
    """The docstring with its sections as bold words, and arguments and fields as lists."""
    pieces = SECTION.split(text)
    out = [_shapes(pieces[0].rstrip())]
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        listed = _items(body, names) if title in ("Arguments", "Fields", "Attributes") else None
        if listed:
            out.append(f"**{title}**\n\n" + "\n".join(f"- {item}" for item in listed))
        else:
            out.append(f"**{title}** " + _shapes(_joined(body)))
    return "\n\n".join(map(_typeset, "\n\n".join(out).split("\n\n")))


def _typeset(paragraph: str) -> str:
    """An indented line of mathematics as a formula of docs/maths.py."""
    equation = paragraph.startswith("    ") and is_equation(paragraph)
    return f"$$\n{tex(paragraph)}\n$$" if equation else paragraph


def _items(body: str, names: list[str]) -> list[str]:
    """The body parted where a sentence or a line begins with one name or more."""
    if not names:
        return []
    known = "|".join(re.escape(name.lstrip("*")) for name in sorted(names, key=len, reverse=True))
    one = rf"`?\*{{0,2}}(?:{known})`?(?: \([^()]*(?:\([^()]*\)[^()]*)*\))?"
    several = rf"{one}(?:(?:, | and |, and ){one})*"
    # A plain name is a heading only before a colon; a quoted one before any sign or word.
    start = re.compile(rf"(?:^|\n\s*|(?<=[.;])\s+)(?=(?:{several}):\s|`(?:{known})`)")
    body = "\n".join(line.strip() for line in body.strip().splitlines())
    parts: list[str] = []
    seen: set[str] = set()
    for part in (_joined(part) for part in start.split(body) if part.strip()):
        name = re.match(r"[`*]*(\w*)", part)[1]
        if parts and name in seen:  # a later sentence about it
            parts[-1] += f" {part}"
        else:
            parts.append(part)
        seen.add(name)
    return [_item(part, several) for part in parts]


def _item(part: str, several: str) -> str:
    head = re.match(rf"({several})(?::\s*|(?=[ ,]))", part)
    if head is None:
        return _shapes(part)
    named = re.sub(r"`", "", head[1])
    named = re.sub(
        r"(?<![\w(])(\*{0,2}\w+)(?=$|,| and| \()", lambda m: m[0] if m[0] == "and" else f"`{m[0]}`", _outside(named)
    )
    rest = part[head.end() :].lstrip(", ").rstrip(" ;")
    return f"{_inside(named)}: {_shapes(rest)}" if rest else _inside(named)


def _outside(text: str) -> str:
    """Brackets hidden, so that shapes are not taken for names."""
    hidden = re.compile(r" \(([^()]*(?:\([^()]*\)[^()]*)*)\)")
    return hidden.sub(lambda m: " (" + m[1].encode().hex() + "#)", text)


def _inside(text: str) -> str:
    return re.sub(r" \(`?([0-9a-f]*)`?#\)", lambda m: f" ({bytes.fromhex(m[1]).decode()})", text)


def _joined(text: str) -> str:
    """One paragraph; blank lines and indented equations stay as they are."""
    paragraphs = re.split(r"\n\s*\n", text.strip("\n"))
    return "\n\n".join(" ".join(line.strip() for line in p.splitlines()) for p in paragraphs if p.strip()).strip()


def _shapes(text: str) -> str:
    """Signs of mathematics that Markdown would read: escaped outside of code, bold words and indented lines.

    Stars and underscores would start emphasis, as in |L_F|_*; `[..]` before brackets would be a link, as in [L_1 F](x);
    < would begin a tag.
    """
    return "\n".join(line if line.startswith("    ") else _escaped(line) for line in text.split("\n"))


def _escaped(line: str) -> str:
    parts = re.split(r"(`[^`]*`|\*\*[A-Z][\w ,]*:?\*\*)", line)
    bullet = re.match(r"- ", line)
    parts[::2] = [re.sub(r"([*\[\]]|(?<!\w)_|_(?!\w))", r"\\\1", part).replace("<", "&lt;") for part in parts[::2]]
    text = "".join(parts)
    return text if bullet else re.sub(r"^(\s*)([-+])(?= )", r"\1\\\2", text)
