"""The rules of the house, as functions of parsed files; `test_architecture.py` runs them."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# A room imports only from lower floors; rooms of one floor never import each other.
FLOORS = {
    "late": -1,
    "linalg": 0,
    "sampling": 0,
    "files": 0,
    "report": 1,
    "algebra": 1,
    "dictionary": 1,
    "interop": 1,
    "representation": 1,
    "jobs": 2,
    "action": 2,
    "derivative": 3,
    "models": 3,
    "discover": 4,
    "enforce": 4,
    "promote": 5,
    "nn": 5,
    "learn": 6,
    "cli": 7,
}
# A front door that hands on, late, verbs of a room above: a user meets all discoveries in one place.
DOORWAYS = {"discover/__init__.py": "learn"}
LATE_IMPORTS = {"interop", "cli", "late", ""}  # "" is lieder/__init__.py
GUARDED = {
    "torch",
    "dask",
    "distributed",
    "pysindy",
    "gplearn",
    "pandas",
    "polars",
}  # foreign frameworks: imported in interop only
NO_ROOMS = {"utils", "misc", "core", "helpers"}
LONGEST = 400
SECTIONS = "Arguments|Fields|Attributes|Returns|Raises|References|Reference"


@dataclass(frozen=True)
class Source:
    """One file of the package: its path inside it, its text, its tree and the room it belongs to ("" for the root)."""

    path: Path
    text: str
    tree: ast.Module
    room: str


def read(package: Path) -> list[Source]:
    """Every Python file of a package, parsed."""
    sources = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        inside = path.relative_to(package)
        first = inside.parts[0].removesuffix(".py")
        sources.append(Source(inside, text, ast.parse(text, str(inside)), "" if first == "__init__" else first))
    return sources


def violations(package: Path) -> list[str]:
    """Everything in a package that breaks a rule, one line each: `path:line: what is wrong`."""
    sources = read(package)
    found = [fault for source in sources for rule in FILE_RULES for fault in rule(source)]
    return found + [fault for rule in HOUSE_RULES for fault in rule(package, sources)]


def _at(source: Source, node: ast.AST | int, fault: str) -> str:
    line = node if isinstance(node, int) else getattr(node, "lineno", 1)
    return f"{source.path}:{line}: {fault}"


def imported(source: Source, node: ast.Import | ast.ImportFrom) -> list[str]:
    """Absolute dotted names that a statement imports, relative ones resolved."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        here = ("lieder", *source.path.parent.parts)
        base = ".".join([*here[: len(here) - node.level + 1], *([base] if base else [])])
    return [f"{base}.{alias.name}" for alias in node.names]


def imports(source: Source) -> list[str]:
    """Absolute dotted names of everything that a file imports."""
    return [name for _, name in _imports(source)]


def _imports(source: Source) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    above = DOORWAYS.get(source.path.as_posix())
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in imported(source, node):
                if not (above and node in _while_typing(source) and name.startswith(f"lieder.{above}.")):
                    yield node, name


def _while_typing(source: Source) -> list[ast.stmt]:
    return [inner for block in source.tree.body if isinstance(block, ast.If) for inner in block.body]


def floors(source: Source) -> Iterator[str]:
    """Imports go down, and reach a room through its front door."""
    if source.room not in FLOORS:
        return
    for node, name in _imports(source):
        top, *rest = name.split(".")
        if top != "lieder":
            continue
        room = rest[0] if rest else ""
        if room == source.room or room == "__version__":
            continue
        if room not in FLOORS:
            yield _at(source, node, f"imports {name}: import from a room, not from the front of the house")
        elif FLOORS[room] >= FLOORS[source.room]:
            down, up = FLOORS[source.room], FLOORS[room]
            yield _at(source, node, f"{source.room} (floor {down}) imports {room} (floor {up})")
        elif any(part.startswith("_") for part in rest[1:]):
            yield _at(source, node, f"imports {name}, which is private to {room}")


def late_imports(source: Source) -> Iterator[str]:
    """No import inside a function, outside interop, cli and the lazy front of the house."""
    if source.room in LATE_IMPORTS:
        return
    for function in ast.walk(source.tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield _at(source, node, "delayed import")
    for node, name in _imports(source):
        if isinstance(node, ast.ImportFrom) and name == "importlib.import_module":
            yield _at(source, node, "delayed import by importlib")


def foreign(source: Source) -> Iterator[str]:
    """Foreign frameworks are met in interop only."""
    for node, name in _imports(source):
        if name.split(".")[0] in GUARDED and source.room != "interop":
            yield _at(source, node, f"imports {name.split('.')[0]} outside interop")


def length(source: Source) -> Iterator[str]:
    """A file that is too long holds two ideas."""
    lines = source.text.count("\n")
    if lines > LONGEST:
        yield _at(source, LONGEST, f"{lines} lines, more than {LONGEST}: split it")


def names(source: Source) -> Iterator[str]:
    """A room is named after its concept, and the files inside a folder are private."""
    for part in source.path.parts:
        if part.removesuffix(".py").strip("_") in NO_ROOMS:
            yield _at(source, 1, f"{part} names no concept")
    if len(source.path.parts) > 1 and not source.path.name.startswith("_"):
        yield _at(source, 1, "a file inside a room is private: begin its name with _")


def style(source: Source) -> Iterator[str]:
    """The few constructs that the house does without."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            yield _at(source, node, "from __future__ import annotations breaks jaxtyping")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"super", "hasattr"}:
            yield _at(source, node, f"{node.func.id}()")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and node.args.kwarg is not None:
            yield _at(source, node, f"**{node.args.kwarg.arg} in a signature: name the arguments")


def asserts(source: Source) -> Iterator[str]:
    """`assert` is for our own bugs and says so; users get a ValueError or TypeError."""
    comments = {
        token.end[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
        if token.type == tokenize.COMMENT
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            comment = comments.get(node.end_lineno or node.lineno, "")
            if "our own bug" not in comment:
                yield _at(source, node, "assert without the comment `# our own bug`")


def ranks(source: Source) -> Iterator[str]:
    """How many numbers count as zero is decided in one place, linalg's `decide`: neither the largest ratio of
    neighbours is looked for elsewhere, nor are those counted that pass a tolerance or a share of the largest. (Algebras
    are told apart by the signs and ranks of many small matrices, in which nothing was measured.)"""
    if source.path.parts == ("linalg", "_rank.py") or source.room == "algebra":
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        what = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        inside = list(ast.walk(node))
        text = {ast.unparse(part) for part in inside if isinstance(part, ast.Subscript)}
        if what == "argmax" and any(isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) for part in inside):
            if any(part.endswith("[1:]") for part in text) and any(part.endswith("[:-1]") for part in text):
                yield _at(source, node, "looks for the largest gap: ask linalg.decide")
        if what == "searchsorted" and any("tolerance" in ast.unparse(part) for part in node.args):
            yield _at(source, node, "counts what passes a tolerance: ask linalg.decide")
        if what in {"sum", "count_nonzero"}:
            for part in inside:
                if isinstance(part, ast.Compare):
                    bound = ast.unparse(part.comparators[0])
                    if "tolerance" in bound or f"* {ast.unparse(part.left)}[0]" in bound:
                        yield _at(source, node, "counts what passes a tolerance: ask linalg.decide")


def _public(source: Source, exported: set[str]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in source.tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if len(source.path.parts) == 1 or source.path.name == "__init__.py" or node.name in exported:
                yield node


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def docstrings(package: Path, sources: list[Source]) -> Iterator[str]:
    """Every public name of every room is documented; a function says what it returns and raises."""
    exported: dict[str, set[str]] = {}
    for source in sources:
        if source.path.name == "__init__.py" and source.room:
            nodes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom)]
            names = {alias.asname or alias.name for node in nodes for alias in node.names}
            exported.setdefault(source.room, set()).update(names)  # a folder inside a room has names of its own
    for source in sources:
        if source.room in {"", "cli"}:
            continue
        for node in _public(source, exported.get(source.room, set())):
            text = ast.get_docstring(node)
            if not text:
                yield _at(source, node, f"{node.name} has no docstring")
                continue
            if re.search(rf"\S +({SECTIONS}):\s|\*\*({SECTIONS})", text):
                yield _at(source, node, f"the docstring of {node.name} has a section that does not begin its line")
            if isinstance(node, ast.FunctionDef):
                yields = [inner for inner in _own(node) if isinstance(inner, ast.Return) and inner.value is not None]
                raises = [inner for inner in _own(node) if isinstance(inner, ast.Raise)]
                if yields and "Return" not in text:
                    yield _at(source, node, f"the docstring of {node.name} does not say what it Returns")
                if raises and "Raises" not in text:
                    yield _at(source, node, f"the docstring of {node.name} does not say what it Raises")


def rooms(package: Path, sources: list[Source]) -> Iterator[str]:
    """The rooms are the ones on the plan; a folder has three files or more, and front doors re-export `X as X`."""
    for room in sorted({source.room for source in sources} - {""} - set(FLOORS)):
        yield f"{room}:1: not a room: give it a floor or put it into the room of its only user"
    for folder in sorted(path for path in package.iterdir() if path.is_dir() and path.name in FLOORS):
        files = list(folder.glob("*.py"))
        if len(files) < 3:
            yield f"{folder.name}:1: a folder of {len(files)} files: a room becomes a folder at its third file"
    for source in sources:
        if source.path.name == "__init__.py" and source.room:
            for node in ast.walk(source.tree):
                if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(f"lieder.{source.room}"):
                    continue
                if any(alias.asname != alias.name for alias in node.names):
                    yield _at(source, node, "re-export as `X as X`")


def circles(package: Path, sources: list[Source]) -> Iterator[str]:
    """No files import each other in a circle: not inside a room, not late, and not while typing.

    Only a contract may name, in annotations, a class that fulfils it.
    """
    files = {_module(source): source for source in sources if source.room}
    needs: dict[str, set[str]] = {file: set() for file in files}
    for file, source in files.items():
        for node, name in _imports(source):
            other = name if name in files else name.rpartition(".")[0]
            own = {thing.name for thing in source.tree.body if isinstance(thing, ast.ClassDef)}
            if (
                other in files
                and other != file
                and not _fulfils(files[other], name.rpartition(".")[2], own, source, node)
            ):
                needs[file].add(other)
    done: set[str] = set()
    for start in needs:
        yield from _circles_from(start, needs, files, [], done)


def _module(source: Source) -> str:
    return ".".join(("lieder", *source.path.with_suffix("").parts)).removesuffix(".__init__")


def _fulfils(other: Source, name: str, own: set[str], source: Source, node: ast.AST) -> bool:
    """Whether an import while typing is of a subclass of the importing file's own classes."""
    classes = [thing for thing in other.tree.body if isinstance(thing, ast.ClassDef) and thing.name == name]
    return node in _while_typing(source) and any({_last(base) for base in thing.bases} & own for thing in classes)


def _circles_from(file: str, needs: dict[str, set[str]], files: dict[str, Source], trail: list[str], done: set[str]):
    if file in trail:
        circle = [name.removeprefix("lieder.") for name in trail[trail.index(file) :]]
        yield _at(files[file], 1, f"imports in a circle: {' -> '.join([*circle, circle[0]])}")
    elif file not in done:
        for other in sorted(needs.get(file, ())):
            yield from _circles_from(other, needs, files, [*trail, file], done)
        done.add(file)


def open_kinds(package: Path, sources: list[Source]) -> Iterator[str]:
    """Nobody above their rooms asks which action or dictionary something is: these say themselves what they know."""
    for room, bases in {"action": "AbstractFibreAction AbstractAction", "dictionary": "AbstractDictionary"}.items():
        concrete: set[str] = set()
        classes = [node for source in sources if source.room == room for node in ast.walk(source.tree)]
        for _ in range(3):  # a subclass of a subclass
            for node in classes:
                if isinstance(node, ast.ClassDef) and node.name not in bases:
                    if {_last(base) for base in node.bases} & {*bases.split(), *concrete}:
                        concrete.add(node.name)
        for source in sources:
            for node in ast.walk(source.tree) if source.room != room else ():
                if isinstance(node, ast.Call) and _last(node.func) in {"isinstance", "issubclass"} and node.args:
                    for name in sorted({_last(asked) for asked in ast.walk(node.args[-1])} & concrete):
                        yield _at(source, node, f"asks for the class {name}: let it say by a method what it knows")


def _last(node: ast.AST) -> str:
    """A name, alone or in a module of the house; eqx.nn.Linear is none of ours."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


FILE_RULES: list[Callable[[Source], Iterator[str]]] = [
    floors,
    late_imports,
    foreign,
    length,
    names,
    style,
    asserts,
    ranks,
]
HOUSE_RULES: list[Callable[[Path, list[Source]], Iterator[str]]] = [docstrings, rooms, circles, open_kinds]
