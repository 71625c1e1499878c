# SPDX-License-Identifier: Apache-2.0
"""The models' manifest, cards and files in, what `lifesign models list`, `card` and `check` print out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models import registry
from models.errors import ModelError as WeightsRefused
from models.inspection import inspect
from models.parts import Part, inspect_part, part_card, parts
from monitor.errors import ModelError

__all__ = ["card", "check", "crop_px", "listing", "refusals"]

HASH_SHOWN = 12


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn what `models` refuses into a ModelError that says what to do next."""
    try:
        yield
    except WeightsRefused as error:
        raise ModelError(
            f"The model {name!r} cannot be used: {error}.",
            "Choose a name from `lifesign models list` for liveness.model, or install lifesign again.",
        ) from error


def listing(folder: Path = registry.WEIGHTS, *, json: bool = False) -> str | list[dict[str, Any]]:
    """The models of a folder, the default first, then the networks of cues if they are those that ship.

    Lines for people, or a list of objects. Raises ModelError when the manifest cannot be read.
    """
    with refusals(registry.DEFAULT):
        entries = list(registry.read_manifest(folder).values())
        beside = list(parts().values()) if folder == registry.WEIGHTS else []
    if json:
        models = [
            asdict(entry) | {"crop_px": entry.crop_px, "default": not place} for place, entry in enumerate(entries)
        ]
        return models + [asdict(part) | {"file": part.file.name, "default": False} for part in beside]
    return "\n\n".join(
        [*(_entry(entry, default=not place) for place, entry in enumerate(entries)), *map(_part, beside)]
    )


def crop_px(name: str = registry.DEFAULT) -> int:
    """Side of the crops that a model takes; raises ModelError when there is none of that name."""
    with refusals(name):
        side = registry.entry(name).crop_px
        if side is None:
            raise WeightsRefused("its input is not one of this program's")
        return side


def card(name: str = registry.DEFAULT) -> str:
    """The card of a model, Markdown; raises ModelError when there is no such model or no card."""
    with refusals(name):
        return part_card(name) if name in parts() else registry.card(name)


def check(name: str = registry.DEFAULT, *, json: bool = False) -> str | dict[str, str]:
    """What was checked of a model's files and of how it judges here; raises ModelError for what is not in order."""
    with refusals(name):
        facts = inspect_part(name) if name in parts() else {fact.what: fact.found for fact in inspect(name)}
    return facts if json else "\n".join(f"{what:<13}{found}" for what, found in facts.items())


def _entry(entry: registry.Entry, *, default: bool) -> str:
    return "\n".join(
        [
            f"{entry.name}{' (default)' if default else ''}",
            f"  licence     {entry.licence}",
            f"  input       {entry.contract}, {entry.samples_per_s:g} looks a second",
            f"  trained on  {entry.trained_on}",
            f"  made on     {entry.made_on}, {entry.parameters / 1e6:.1f} million parameters",
            f"  sha256      {entry.sha256[:HASH_SHOWN]}",
        ]
    )


def _part(part: Part) -> str:
    return "\n".join(
        [
            f"{part.name} (cue {', '.join(part.cues)})",
            f"  licence     {part.licence}",
            f"  trained on  {part.trained_on}",
            f"  parameters  {part.parameters:,}",
            f"  sha256      {part.sha256[:HASH_SHOWN]}",
        ]
    )
