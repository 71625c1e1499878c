# SPDX-License-Identifier: Apache-2.0
"""The settings tree in; its keys, an example YAML file, a reference table and a JSON Schema out."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitor.config import Settings

__all__ = ["example", "key_paths", "reference", "schema"]

HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Every setting of Lifesign with its default; made by `lifesign config example`.
# Order: command line, environment, secret files, this file, defaults. A key that is not known is an error.
# Environment: LIFESIGN_ + path in capitals, __ between levels, e.g. LIFESIGN_HTTP__PORT.
# Secrets belong in the environment, or in files of the same names in the folder LIFESIGN_SECRETS.
"""
SAMPLES: Mapping[str, object] = {
    "whip.tokens": ["a-long-random-word"],
    "whip.ice_servers": [{"url": "stun:stun.example.com:3478"}],
    "pulls": [{"call": "board", "participant": "alice", "url": "https://media.example.com/alice/whep"}],
}
"""What a list may hold, shown as a comment under its empty default."""


@cache
def key_paths() -> Mapping[tuple[str, ...], bool]:
    """Every path of keys in the settings tree, sections included; True where a secret is kept."""
    return dict(_paths(Settings, ()))


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the YAML file; defaults that differ between machines are left out."""
    document = Settings.model_json_schema()
    for entry in document["properties"].values():
        if "$ref" in entry:
            entry.pop("default", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Lifesign", **document}


def example() -> str:
    """A YAML file of all keys with their defaults and descriptions; loading it gives the defaults."""
    return HEAD + "\n".join(_section_lines(Settings, (), 0)) + "\n"


def reference() -> str:
    """A Markdown table of all keys with environment name, type, default and meaning."""
    rows = (_row(path, field) for path, field in _leaves(Settings, ()))
    return (
        "\n".join(["| key | environment | type | default | meaning |", "| --- | --- | --- | --- | --- |", *rows]) + "\n"
    )


def _paths(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        yield path, any(part is SecretStr for part in _types(field.annotation))
        for inner in _models(field.annotation):
            yield from _paths(inner, path)


def _types(annotation: object) -> Iterator[object]:
    """The annotation and all it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    return (part for part in _types(annotation) if isinstance(part, type) and issubclass(part, BaseModel))


def _own_section(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a section that is always there; None for plain values, lists and optional sections."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _leaves(model: type[BaseModel], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in model.model_fields.items():
        inner = list(_models(field.annotation))
        if not inner or get_origin(field.annotation) is tuple:
            yield (*above, name), field
        for section in inner:
            item = (name,) if get_origin(field.annotation) is not tuple else (f"{name}[]",)
            yield from _leaves(section, (*above, *item))


def _section_lines(model: type[BaseModel], above: tuple[str, ...], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for name, field in model.model_fields.items():
        if depth == 0:
            yield ""
        if (section := _own_section(field)) is not None:
            yield f"{pad}# {_first_line(section)}"
            yield f"{pad}{name}:"
            yield from _section_lines(section, (*above, name), depth + 1)
        else:
            yield from _field_lines((*above, name), field, depth)


def _field_lines(path: tuple[str, ...], field: FieldInfo, depth: int) -> Iterator[str]:
    pad = "  " * depth
    yield f"{pad}# {field.description or path[-1]} ({type_name(field)})"
    default = _default(field)
    if default is None:
        yield f"{pad}# {path[-1]}:"
        yield from (f"{pad}#   {line}" for section in _models(field.annotation) for line in _bare_lines(section))
        return
    yield f"{pad}{path[-1]}: {json.dumps(default)}"
    if (sample := SAMPLES.get(".".join(path))) is not None:
        yield f"{pad}# {path[-1]}: {json.dumps(sample)}"


def _bare_lines(section: type[BaseModel]) -> Iterator[str]:
    """Keys of a section that is off by default, to be commented out."""
    for name, field in section.model_fields.items():
        yield f"# {field.description or name} ({type_name(field)})"
        yield f"{name}:"


def _default(field: FieldInfo) -> Any:  # noqa: ANN401 whatever JSON can hold
    """The default as JSON; None when there is none, or when it depends on the machine."""
    value = field.default
    if value is PydanticUndefined or value is None or isinstance(value, Path):
        return None
    return value.value if isinstance(value, Enum) else list(value) if isinstance(value, tuple) else value


def _row(path: tuple[str, ...], field: FieldInfo) -> str:
    dotted = ".".join(path)
    variable = "" if "[]" in dotted else f"`LIFESIGN_{'__'.join(path).upper()}`"
    default = _default(field)
    shown = "" if default is None else f"`{json.dumps(default)}`"
    return f"| `{dotted}` | {variable} | {type_name(field)} | {shown} | {field.description or ''} |"


def type_name(field: FieldInfo) -> str:
    """The field's type and limits in words a user of YAML knows."""
    limits = [word for item in field.metadata for word in _limits(item)]
    return ", ".join([_word(field.annotation), *limits])


def _limits(item: object) -> Iterator[str]:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
    for name, sign in signs.items():
        if (bound := getattr(item, name, None)) is not None:
            yield f"{sign} {bound}"


def _word(annotation: object) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(str(part) for part in parts)
    if origin in {Union, UnionType}:
        return " or ".join(_word(part) for part in parts if part is not type(None))
    if origin is tuple:
        return f"list of {_word(parts[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(str(member.value) for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    words = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true or false",
        Path: "path",
        SecretStr: "secret",
    }
    return words.get(annotation, "text") if isinstance(annotation, type) else "text"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or model.__name__).strip().splitlines()[0]
