"""The mistakes found so far, and the checks that several places make."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from stepwell.errors import StepwellError
from stepwell.workflows.bound import PARAMETER
from stepwell.workflows.errors import NameInvalid, NameReserved
from stepwell.workflows.names import LONGEST, is_valid
from stepwell.workflows.schema import Schema, resolve, unresolved

RESERVED: Final = frozenset({PARAMETER, "parameters", "self", "context", "ctx"})


class Complaints(list[StepwellError]):
    """A list of mistakes that checks add to."""

    def add(self, kind: type[StepwellError], what: str, *, why: str = "", fix: str = "") -> None:
        """One more mistake."""
        self.append(kind(what, why=why, fix=fix))

    def check_name(self, kind: str, written: str, name: str) -> None:
        """A group, workflow or operation must be able to stand in a step's name."""
        if not is_valid(name):
            self.add(
                NameInvalid,
                f"The {kind} {written!r} cannot be called {name!r}.",
                why="A name begins with a small letter and has small letters, digits and hyphens, "
                f"at most {LONGEST}.",
                fix="Rename it.",
            )

    def check_reserved(self, where: str, name: str) -> None:
        """A value may not have a name that means something else here."""
        if name in RESERVED:
            self.add(
                NameReserved,
                f"{where} may not be called {name!r}.",
                why=f"These names are Stepwell's own: {', '.join(sorted(RESERVED))}.",
                fix="Choose another name.",
            )

    def resolved(
        self, annotation: Any, where: str, module: Mapping[str, Any], local: Mapping[str, Any]
    ) -> Any:
        """The annotation as a type; Any, and a complaint, where it names something unknown."""
        try:
            return resolve(annotation, module, local)
        except Exception as error:
            self.append(unresolved(where, error))
            return Any

    def schema(
        self, schema_of: Callable[[Any, str], Schema], annotation: Any, where: str
    ) -> Schema | None:
        """The type's schema, or None and a complaint."""
        try:
            return schema_of(annotation, where)
        except StepwellError as error:
            self.append(error)
            return None


def first_paragraph(documented: Any) -> str:
    """The first paragraph of a docstring of its own, on one line, or nothing."""
    text = inspect.cleandoc(getattr(documented, "__doc__", None) or "")
    return " ".join(text.split("\n\n")[0].split())


def lower_first(sentence: str) -> str:
    """The words in the middle of another sentence."""
    return sentence[0].lower() + sentence[1:]
