"""A hook of MkDocs: guides and API pages link to each other.

A name such as `ld.discover.dataset` in a guide's text becomes a link to its entry; a guide ends with the names that its
code uses; and an API page begins with the guides that use its room.
"""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAME = re.compile(r"\bld\.([a-z]+)\.(\w+)")
IN_TEXT = re.compile(r"(?<![`\[])`(ld\.[a-z]+\.\w+)(\([^`]*\))?`(?![`\]])")
FENCE = re.compile(r"(^ *(?:```|~~~).*?^ *(?:```|~~~)[ ]*$)", re.DOTALL | re.MULTILINE)


@cache
def entries(room: str) -> set[str]:
    """The names that have an entry on the page of a room."""
    folder = ROOT / "lieder" / room
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    if not file.exists():
        return set()
    body = ast.parse(file.read_text(encoding="utf-8")).body
    brought = {alias.name for node in body if isinstance(node, ast.ImportFrom) and node.level for alias in node.names}
    brought |= {
        alias.name
        for node in body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"lieder.{room}.")
        for alias in node.names
    }
    made = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return {name for name in brought | made if not name.startswith("_")}


def used(text: str) -> list[tuple[str, str]]:
    """The (room, name) that a page uses, in the order of rooms and names, if they have an entry."""
    return sorted({(room, name) for room, name in NAME.findall(text) if name in entries(room)})


def on_files(files, config):
    """Which guides use which room."""
    config.extra["guides"] = guides = {}
    for file in files.documentation_pages():
        if "/" not in file.src_uri and file.src_uri != "changelog.md":
            text = file.content_string
            for room in {room for room, _ in used(text)}:
                title = re.search(r"^# (.+)$", text, re.MULTILINE)
                guides.setdefault(room, []).append((title[1] if title else file.src_uri, file.src_uri))
    return files


def on_page_markdown(markdown, page, config, **_):
    uri = page.file.src_uri
    if uri.startswith("api/"):
        guides = config.extra["guides"].get(uri.removeprefix("api/").removesuffix(".md"), [])
        listed = ", ".join(f"[{title}](../{target})" for title, target in sorted(guides))
        return markdown.replace("\n:::", f"\nUsed in: {listed}.\n\n:::", 1) if listed else markdown
    if "/" in uri or uri == "changelog.md":
        return markdown
    pieces = FENCE.split(markdown)
    pieces[::2] = [IN_TEXT.sub(_linked, piece) for piece in pieces[::2]]
    names = used(markdown)
    if names:
        listed = ", ".join(f"[`{room}.{name}`][lieder.{room}.{name}]" for room, name in names)
        pieces.append(f'\n\n<div class="entries" markdown>\n\nIn the API: {listed}\n\n</div>\n')
    return "".join(pieces)


def _linked(match: re.Match) -> str:
    room, name = match[1].split(".")[1:]
    if name not in entries(room):
        return match[0]
    return f"[`{match[1]}{match[2] or ''}`][lieder.{room}.{name}]"
