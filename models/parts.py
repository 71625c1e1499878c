# SPDX-License-Identifier: Apache-2.0
"""The small networks of the cues: what they are, whether their files are in order, their cards."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import load as read_arrays

from models import voice
from models.pad import store as pad
from models.registry import CARDS, read_manifest, verified
from models.synchrony import expectation

__all__ = ["Part", "inspect_part", "part_card", "parts"]


@dataclass(frozen=True, slots=True)
class Part:
    """One network: the cues that use it, its file and the SHA-256 of it, the name of the card that tells of it."""

    name: str
    cues: tuple[str, ...]
    file: Path
    sha256: str
    licence: str
    trained_on: str
    parameters: int
    card: str


def parts() -> dict[str, Part]:
    """All of them by name; raises `WeightsError` where the list of one cannot be read."""
    return {part.name: part for part in _parts()}


def part_card(name: str) -> str:
    """A part's card, Markdown; raises `KeyError` for a name that is no part's."""
    return (CARDS / f"{parts()[name].card}.md").read_text(encoding="utf-8")


def inspect_part(name: str) -> dict[str, str]:
    """What was found in order of a part; raises `WeightsError` for a file that was altered, `KeyError` as above."""
    part = parts()[name]
    verified(part.file, part.sha256)
    return {
        "weights": f"{part.file}, SHA-256 as the program expects",
        "licence": part.licence,
        "card": f"lifesign models card {name}",
    }


def _parts() -> Iterator[Part]:
    entry = read_manifest(pad.FOLDER)[pad.NAME]
    file = pad.FOLDER / entry.file
    yield Part(pad.NAME, ("replay",), file, entry.sha256, entry.licence, entry.trained_on, entry.parameters, "pad")
    yield Part(
        name="synchrony",
        cues=("synchrony",),
        file=expectation.FILE,
        sha256=expectation.SHA256,
        licence="Apache-2.0",
        trained_on="speech of people in films under open licences (card)",
        parameters=_numbers(expectation.FILE, expectation.SHA256),
        card="synchrony",
    )
    yield Part(
        name="voice",
        cues=("synchrony",),
        file=voice.FILE,
        sha256=voice.SHA256,
        licence="MIT (Silero Team)",
        trained_on="speech in many languages, by its makers (card)",
        parameters=_numbers(voice.FILE, voice.SHA256),
        card="synchrony",
    )


def _numbers(file: Path, sha256: str) -> int:
    return sum(value.size for value in read_arrays(verified(file, sha256)).values())
