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
from monitor.errors import ModelError

__all__ = ["card", "check", "listing", "refusals"]

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
    """The models of a folder, the default first: lines for people, or a list of objects.

    Raises ModelError when the manifest cannot be read.
    """
    with refusals(registry.DEFAULT):
        entries = list(registry.read_manifest(folder).values())
    if json:
        return [
            asdict(entry) | {"crop_px": entry.crop_px, "default": place == 0} for place, entry in enumerate(entries)
        ]
    return "\n".join(_lines(entries))


def card(name: str = registry.DEFAULT) -> str:
    """The card of a model, Markdown; raises ModelError when there is no such model or no card."""
    with refusals(name):
        return registry.card(name)


def check(name: str = registry.DEFAULT, *, json: bool = False) -> str | dict[str, str]:
    """What was checked of a model's files and of how it judges here; raises ModelError for what is not in order."""
    with refusals(name):
        facts = inspect(name)
    if json:
        return {fact.what: fact.found for fact in facts}
    return "\n".join(f"{fact.what:<13}{fact.found}" for fact in facts)


def _lines(entries: list[registry.Entry]) -> Iterator[str]:
    for place, entry in enumerate(entries):
        if place:
            yield ""
        yield f"{entry.name}{'' if place else ' (default)'}"
        yield f"  licence     {entry.licence}"
        yield f"  input       {entry.contract}, {entry.samples_per_s:g} looks a second"
        yield f"  trained on  {entry.trained_on}"
        yield f"  made on     {entry.made_on}, {entry.parameters / 1e6:.1f} million parameters"
        yield f"  sha256      {entry.sha256[:HASH_SHOWN]}"
