"""An extension of griffe for the API pages: signatures as they are written in the source, and a constructor for each
class that gets one from its fields.
"""

import ast

import griffe


class Signatures(griffe.Extension):
    """Annotations stay text; equinox modules and named tuples get the constructor that is made from their fields."""

    # griffe reads a text inside an annotation as a name; jaxtyping's "N *m" is none, and would become a product.

    def on_function_instance(self, *, node, func, **_):
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            written = {argument.arg: argument.annotation for argument in arguments if argument.annotation}
            for parameter in func.parameters:
                if parameter.name in written:
                    parameter.annotation = _text(written[parameter.name])
            if node.returns is not None:
                func.returns = _text(node.returns)

    def on_attribute_instance(self, *, node, attr, **_):
        annotation = node.returns if isinstance(node, ast.FunctionDef) else getattr(node, "annotation", None)
        if annotation is not None:  # of a property, or of a field
            attr.annotation = _text(annotation)

    def on_package(self, *, pkg, **_):
        for cls in _classes(pkg):
            if "__init__" not in cls.all_members and _is_module(cls):
                _construct(cls)


def _text(annotation: ast.expr) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(
        annotation.value, str
    ):  # a name that comes later in the file
        return annotation.value.replace("'", '"')
    return ast.unparse(annotation).replace("'", '"')


def _classes(thing: griffe.Object):
    for member in thing.members.values():
        if not member.is_alias:
            if member.is_class:
                yield member
            if member.is_class or member.is_module:
                yield from _classes(member)


def _is_module(cls: griffe.Class) -> bool:
    """An equinox module or a named tuple, itself or by a class of the house."""
    if any(str(base).rsplit(".", 1)[-1] in ("Module", "NamedTuple") for base in cls.bases):
        return True
    return any(_is_module(base) for base in cls.mro() if base is not cls)


def _construct(cls: griffe.Class) -> None:
    parameters = [griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)]
    for owner in [*reversed(cls.mro()), cls]:
        for name, member in owner.members.items():
            if member.is_alias or not member.is_attribute or "property" in member.labels or member.annotation is None:
                continue
            if str(member.annotation).startswith("ClassVar") or (member.value and "init=False" in str(member.value)):
                continue
            default = _default(member.value)
            parameters = [parameter for parameter in parameters if parameter.name != name]
            kind = griffe.ParameterKind.positional_or_keyword
            parameters.append(griffe.Parameter(name, annotation=member.annotation, kind=kind, default=default))
    init = griffe.Function("__init__", parameters=griffe.Parameters(*parameters), returns="None")
    cls.set_member("__init__", init)


def _default(value) -> str | None:
    """The default of a field, also inside `eqx.field(default=..)`."""
    if value is None or "field(" not in str(value):
        return None if value is None else str(value)
    call = ast.parse(str(value), mode="eval").body
    return next((ast.unparse(k.value) for k in getattr(call, "keywords", []) if k.arg == "default"), None)
