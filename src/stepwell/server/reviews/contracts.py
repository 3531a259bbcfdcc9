"""Changes of what a workflow takes, and of what its operations take and give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepwell.server.reviews.changes import Category, Change, Impact, Kind, pointer
from stepwell.server.reviews.redaction import HIDDEN, discreet, is_secret
from stepwell.server.reviews.schemas import Schema, essence, misfits, sound


def parameter_changes(workflow: str, old: Schema, new: Schema) -> Iterator[Change]:
    """The parameters of a workflow; breaking when a caller's values may be refused."""
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
    for name in before.keys() - after.keys():
        told = f"The parameter {name} is not taken any more."
        yield _parameter(workflow, name, Kind.REMOVED, told, True, before[name], None)
    for name in after:
        one = _with_defs(after[name], new)
        if name not in before:
            yield _new_parameter(workflow, name, one, name in needed)
            continue
        was = _with_defs(before[name], old)
        if name in needed - needed_before:
            told = f"The parameter {name} became required."
            yield _parameter(workflow, name, Kind.CHANGED, told, True, was, one)
        elif name in needed_before - needed:
            told = f"The parameter {name} became optional."
            yield _parameter(workflow, name, Kind.CHANGED, told, False, was, one)
        yield from _one_parameter(workflow, name, was, one)


def schedule_gaps(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """A schedule of the source gives no values: what it lacks now and did not lack before."""
    before, after = _ungiven(old), _ungiven(new)
    if after and after != before:
        told = (
            f"Its schedule gives no value for {', '.join(after)}, which must be given: "
            "its runs cannot start, each due instant is entered as blocked."
        )
        yield Change(
            path=pointer("workflows", new["name"], "schedule", "parameters"),
            kind=Kind.CHANGED if before else Kind.ADDED,
            category=Category.SCHEDULE,
            impact=Impact.BEHAVIOUR,
            sentence=told,
            breaking=True,
            before=before,
            after=after,
        )


def _ungiven(entry: Mapping[str, Any]) -> list[str]:
    """The required parameters of a workflow that runs by itself."""
    if not entry.get("schedule") or not sound(entry.get("parameters")):
        return []
    return sorted(entry["parameters"].get("required", ()))


def _new_parameter(workflow: str, name: str, schema: Schema, needed: bool) -> Change:
    default = HIDDEN if is_secret(name, schema) else repr(_default(schema))
    told = "it must be given" if needed else f"by default it is {default}"
    sentence = f"The parameter {name} is new; {told}."
    return _parameter(workflow, name, Kind.ADDED, sentence, needed, None, schema)


def _one_parameter(workflow: str, name: str, was: Schema, one: Schema) -> Iterator[Change]:
    if _meaning(was) != _meaning(one):
        reasons = misfits(was, one)
        told = f"The parameter {name} takes other values{_because(reasons, name, one)}."
        yield _parameter(workflow, name, Kind.CHANGED, told, bool(reasons), was, one)
    before, after = _default(was), _default(one)
    if before != after and "default" in was and "default" in one:
        shown = "" if is_secret(name, one) else f" from {before!r} to {after!r}"
        told = f"The default of {name} changes{shown or f'; its value is {HIDDEN}'}."
        change = _parameter(workflow, name, Kind.CHANGED, told, False, before, after)
        yield change.model_copy(update={"path": f"{change.path}/default"})


def _default(schema: Any) -> Any:
    return schema.get("default") if isinstance(schema, Mapping) else None


def _parameter(
    workflow: str, name: str, kind: Kind, told: str, breaking: bool, before: Any, after: Any
) -> Change:
    return Change(
        path=pointer("workflows", workflow, "parameters", name),
        kind=kind,
        category=Category.PARAMETERS,
        impact=Impact.DATA,
        sentence=told,
        breaking=breaking,
        before=before,
        after=after,
    )


def input_changes(
    path: Sequence[str],
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[Change]:
    """What an operation takes, and from where; `names` are the operations' new names."""
    operation = path[-1]
    for name in old.keys() - new.keys():
        told = f"In {operation}: the input {name} is not used any more."
        yield _value(path, name, Kind.REMOVED, Category.INPUTS, told, False, old[name], None)
    for name, one in new.items():
        if name not in old:
            told = f"In {operation}: the input {name} is new, {_source(one['from'])}."
            yield _value(path, name, Kind.ADDED, Category.INPUTS, told, None, None, one)
        else:
            yield from _one_input(path, name, old[name], one, names)


def _one_input(
    path: Sequence[str],
    name: str,
    was: Mapping[str, Any],
    one: Mapping[str, Any],
    names: Mapping[str, str],
) -> Iterator[Change]:
    operation = path[-1]
    if names.get(was["from"], was["from"]) != one["from"]:
        told = f"In {operation}: the input {name} comes {_source(one['from'])} now."
        before, after = was["from"], one["from"]
        yield _value(path, name, Kind.CHANGED, Category.INPUTS, told, None, before, after)
    if was["required"] != one["required"]:
        became = "must be there now" if one["required"] else "may be missing now"
        told = f"In {operation}: the input {name} {became}."
        yield _value(path, name, Kind.CHANGED, Category.INPUTS, told, one["required"], was, one)
    if _meaning(was["schema"]) != _meaning(one["schema"]):
        reasons = _judged(was["schema"], one["schema"])
        told = f"In {operation}: the input {name} takes other values{_because(reasons, name)}."
        before, after = was["schema"], one["schema"]
        yield _value(path, name, Kind.CHANGED, Category.INPUTS, told, bool(reasons), before, after)


def return_changes(path: Sequence[str], old: Any, new: Any) -> Iterator[Change]:
    """What an operation gives; breaking when it may be what it never was."""
    if _meaning(old) == _meaning(new):
        return
    reasons = _judged(new or {}, old or {})
    told = f"In {path[-1]}: it returns other values{_because(reasons)}."
    change = _value(path, "", Kind.CHANGED, Category.OUTPUTS, told, bool(reasons), old, new)
    yield change.model_copy(update={"path": pointer(*path, "returns")})


def _value(
    path: Sequence[str],
    name: str,
    kind: Kind,
    category: Category,
    told: str,
    breaking: bool | None,
    before: Any,
    after: Any,
) -> Change:
    return Change(
        path=pointer(*path, "inputs", name),
        kind=kind,
        category=category,
        impact=Impact.DATA,
        sentence=told,
        breaking=breaking,
        before=before,
        after=after,
    )


def _meaning(schema: Any) -> Any:
    return essence(schema)


def _with_defs(schema: Any, whole: Schema) -> Schema:
    """A property's schema with the definitions that it may refer to."""
    if not isinstance(schema, Mapping):
        return {} if schema is True else {"not": {}}
    defs = whole.get("$defs")
    return {**schema, "$defs": defs} if defs and "$ref" in repr(schema) else schema


def _source(name: str) -> str:
    return "from the workflow's parameters" if name == "parameter" else f"from {name}"


def _judged(narrow: Any, wide: Any) -> list[str]:
    """As `misfits`; what is no schema cannot be judged, and so counts as breaking."""
    good = sound(narrow) and sound(wide)
    return misfits(narrow, wide) if good else ["it is no JSON Schema, so it cannot be judged"]


def _because(reasons: Sequence[str], name: str = "", schema: Any = None) -> str:
    if not reasons:
        return "; all that fitted before still fits"
    if is_secret(name, schema):
        return f"; its values are {HIDDEN}"
    more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return f": {'; '.join(discreet(reasons[:3]))}{more}"
