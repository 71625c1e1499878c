# SPDX-License-Identifier: Apache-2.0
"""Command line, environment, secret files and a YAML file in; settings, or an error that names file and line, out.

What comes first wins: command line, environment (LIFESIGN_SECTION__KEY), secret files of the same names in the
folders of CREDENTIALS_DIRECTORY (systemd) and LIFESIGN_SECRETS, the YAML file, defaults.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from platformdirs import user_config_path
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from monitor.config import Settings
from monitor.errors import ConfigError
from monitor.settings_keys import key_paths

__all__ = ["dump", "find", "load", "secrets", "unknown_environment"]

PREFIX: Final = "LIFESIGN_"
SYSTEM_FILE: Final = Path("/etc/lifesign/lifesign.yaml")
OTHER_NAMES: Final = frozenset({"LIFESIGN_CONFIG", "LIFESIGN_SECRETS", "LIFESIGN_FOOTAGE", "LIFESIGN_TOKEN"})
"""Names with the prefix that are read elsewhere than in the settings tree."""
MAX_FILE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where values came from, to say in an error; `yaml` still knows its line numbers."""

    file: Path | None
    yaml: CommentedMap
    secret_files: Mapping[str, Any]
    environment: Mapping[str, Any]
    overrides: Mapping[str, Any]


def load(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings from all sources; `overrides` is a nested mapping from the command line.

    Raises ConfigError that names file, line and column of each fault, and the nearest known key.
    """
    file = find(path)
    sources = _Sources(
        file=file,
        yaml=_read(file) if file else CommentedMap(),
        secret_files=_exploded(_secret_files()),
        environment=_exploded(os.environ),
        overrides=overrides or {},
    )
    merged: dict[str, Any] = {}
    for layer in (_plain(sources.yaml), sources.secret_files, sources.environment, sources.overrides):
        merged = _merged(merged, layer)
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise _explained(error, sources) from error


def find(path: Path | None = None) -> Path | None:
    """Find the YAML file: `path`, LIFESIGN_CONFIG, ./lifesign.yaml, the user's, the system's; None without any.

    Raises ConfigError when a file that was asked for by name is not there.
    """
    named = path or (Path(os.environ["LIFESIGN_CONFIG"]) if os.environ.get("LIFESIGN_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"There is no configuration file {named}.", "`lifesign config example > FILE` makes one.")
        return named
    candidates = (Path("lifesign.yaml"), user_config_path("lifesign") / "lifesign.yaml", SYSTEM_FILE)
    return next((file for file in candidates if file.is_file()), None)


def unknown_environment(environ: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Names with the prefix that set nothing, each with the nearest name that would, or an empty text."""
    known = {_variable(path) for path in key_paths()} | OTHER_NAMES
    names = (name for name in environ if name.startswith(PREFIX) and name.upper() not in known)
    short = {name.removeprefix(PREFIX) for name in known}
    near = {name: _nearest(name.upper().removeprefix(PREFIX), short) for name in sorted(names)}
    return {name: PREFIX + meant if meant else "" for name, meant in near.items()}


def dump(settings: Settings) -> dict[str, Any]:
    """The settings as plain JSON values, secrets masked."""
    return settings.model_dump(mode="json")


def secrets(settings: Settings) -> frozenset[str]:
    """Every secret value in the settings, for the log formatter to blank."""
    return frozenset(secret.get_secret_value() for secret in _secret_values(settings))


def _secret_values(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secret_values(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secret_values(item)


def _read(file: Path) -> CommentedMap:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{file} has more than {MAX_FILE_BYTES:,} bytes.", "Is it the right file?")
        content = YAML().load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.", "Check its rights and that it is UTF-8 text.") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else str(file)
        advice = "Is a key there twice, or the indentation wrong?"
        raise ConfigError(f"{place}: {(error.problem or 'not YAML').splitlines()[0]}.", advice) from error
    except YAMLError as error:
        raise ConfigError(f"{file} is not YAML: {error}.", "See `lifesign config example`.") from error
    if content is None:
        return CommentedMap()
    if not isinstance(content, CommentedMap):
        raise ConfigError(f"{file}:1:1: the file is not a mapping of sections.", "See `lifesign config example`.")
    return content


def _secret_files() -> dict[str, str]:
    folders = [os.environ.get("LIFESIGN_SECRETS"), os.environ.get("CREDENTIALS_DIRECTORY")]
    found = {}
    for folder in (Path(name) for name in folders if name):
        for file in sorted(folder.iterdir()) if folder.is_dir() else ():
            if file.is_file() and file.name.upper().startswith(PREFIX):
                found[file.name.upper()] = file.read_text("utf-8").rstrip("\r\n")
    return found


class _Variables(EnvSettingsSource):
    """Explodes LIFESIGN_A__B names of any mapping, as pydantic-settings does with the environment."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = {name.lower(): value for name, value in variables.items()}
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._variables


def _exploded(variables: Mapping[str, str]) -> dict[str, Any]:
    try:
        return _Variables(variables)()
    except ValueError as error:
        names = ", ".join(name for name, value in variables.items() if not _is_readable(name, value))
        raise ConfigError(
            f"{names} is not valid JSON.", "Lists and whole sections in the environment are JSON."
        ) from error


def _is_readable(name: str, value: str) -> bool:
    try:
        _Variables({name: value})()
    except ValueError:
        return False
    return True


def _plain(node: object) -> Any:  # noqa: ANN401 whatever YAML can hold
    """The YAML node without its line numbers; a key with nothing after it counts as not given."""
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items() if value is not None}
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    return node


def _merged(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(low)
    for key, value in high.items():
        below = result.get(key)
        result[key] = _merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return result


def _explained(error: ValidationError, sources: _Sources) -> ConfigError:
    faults = sorted(
        (_fault(details, sources) for details in error.errors(include_url=False)), key=lambda fault: fault[0]
    )
    return ConfigError("\n".join(text for _, text in faults), "`lifesign config example` shows every key.")


def _fault(details: ErrorDetails, sources: _Sources) -> tuple[tuple[int, int], str]:
    """One fault in words, and its line and column to sort by."""
    dotted = ".".join(str(part) for part in details["loc"])
    where = _place(details["loc"], sources)
    position = _position(sources.yaml, details["loc"])
    if details["type"] == "extra_forbidden":
        near = _nearest(dotted, {".".join(path) for path in key_paths()})
        return position, f"{where}: {dotted} is not a known key{f'; did you mean {near}?' if near else '.'}"
    message = details["msg"].removeprefix("Value error, ")
    return position, f"{where}: {dotted + ': ' if dotted else ''}{message}{_shown(details)}."


def _shown(details: ErrorDetails) -> str:
    """The bad value, when it is plain and its key holds no secret."""
    path = tuple(str(part) for part in details["loc"] if not isinstance(part, int))
    value = details["input"]
    secret = key_paths().get(path, True)
    return "" if secret or not isinstance(value, str | int | float) else f" (it is {value!r})"


def _place(loc: tuple[int | str, ...], sources: _Sources) -> str:
    """Where the value with that path was given: the source that wins."""
    if loc and _holds(sources.overrides, loc):
        return "command line"
    if loc and _holds(sources.environment, loc):
        return f"environment variable {_variable(loc)}"
    if loc and _holds(sources.secret_files, loc):
        return f"secret file {_variable(loc)}"
    if sources.file is None:
        return "configuration"
    line, column = _position(sources.yaml, loc)
    return f"{sources.file}:{line + 1}:{column + 1}"


def _holds(node: object, loc: tuple[int | str, ...]) -> bool:
    for part in loc:
        listed = isinstance(node, list) and isinstance(part, int) and part < len(node)
        if not listed and not (isinstance(node, Mapping) and part in node):
            return False
        node = node[part]  # type: ignore[index]
    return True


def _position(node: object, loc: tuple[int | str, ...]) -> tuple[int, int]:
    """Line and column, from 0, of the deepest part of the path that the file holds."""
    place = (0, 0)
    for part in loc:
        if isinstance(node, CommentedMap) and part in node:
            place = node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            place = node.lc.item(part)
        else:
            break
        node = node[part]
    return place


def _variable(loc: tuple[int | str, ...]) -> str:
    names = [part for part in loc if isinstance(part, str)]
    return PREFIX + "__".join(names).upper()


def _nearest(name: str, known: set[str] | frozenset[str]) -> str:
    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=0.6)), "")
