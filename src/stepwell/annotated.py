"""What annotations say, also where one names what only a type checker knows.

Without `from __future__ import annotations` Python 3.14 looks such a name up when it is asked for
the annotations, and raises NameError; here it is left as the name that it is.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Container
from types import SimpleNamespace
from typing import Any, get_type_hints

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def annotations_of(owner: Any) -> dict[str, Any]:
        """The annotations written on a function or class itself; names may be unresolved."""
        return dict(get_annotations(owner, format=Format.FORWARDREF))

    def signature_of(owner: Any) -> inspect.Signature:
        """The parameters of what can be called; names in annotations may be unresolved."""
        return inspect.signature(owner, annotation_format=Format.FORWARDREF)

else:

    def annotations_of(owner: Any) -> dict[str, Any]:
        """The annotations written on a function or class itself; names may be unresolved."""
        return dict(inspect.get_annotations(owner))

    def signature_of(owner: Any) -> inspect.Signature:
        """The parameters of what can be called; names in annotations may be unresolved."""
        return inspect.signature(owner)


def hints_of(function: Any, needed: Container[str] = ()) -> dict[str, Any]:
    """Parameter -> its type; None where a name in it is not there, or not yet.

    Raises
    ------
    NameError : that of a needed one, unless it is there for type checkers alone.
    """
    function = inspect.unwrap(function)  # the names are those of the module where it was written
    try:
        return get_type_hints(function)
    except NameError:  # that parameter alone is untyped
        written = annotations_of(function)
        return {name: _hint(function, one, name in needed) for name, one in written.items()}


def _hint(function: Any, written: Any, is_needed: bool) -> Any:
    alone = SimpleNamespace(__annotations__={"it": written})
    try:
        return get_type_hints(alone, globalns=function.__globals__)["it"]
    except NameError as missing:
        if is_needed and not _is_conditional(missing.name, function.__module__):
            raise
        return None


def _is_conditional(name: str | None, module: str) -> bool:
    """Whether the module has the name under an `if`, as `if TYPE_CHECKING`, or nobody can tell."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return True
    branches = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    return any(_bound(node) in (name, "*") for branch in branches for node in ast.walk(branch))


def _bound(node: ast.AST) -> str | None:
    match node:
        case ast.alias():
            return node.asname or node.name.partition(".")[0]
        case ast.ClassDef():
            return node.name
        case ast.Name(ctx=ast.Store()):
            return node.id
    return None
