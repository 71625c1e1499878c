# SPDX-License-Identifier: Apache-2.0
"""A released network, its training rows and the readings of a judged split in, its card in Markdown out."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from models.card import sources
from models.manifest import read_manifest
from models.pad.figures import report
from models.pad.judging import Read
from models.pad.learn import Recipe
from models.pad.store import FOLDER, PadDetector

__all__ = ["compose"]

OPENING: Final = """# pad

A small network that looks at a face with its surroundings for a display or a print before the camera. It learnt from
real faces; every screen and every print it saw was computed from them while it learnt (`models/pad/recapture.py`),
none was filmed. Bona fide twins went through the same codec, scaling, noise, focus and crop, and some show windows,
screens or pictures behind the person, harsh or low light, beauty filters and glare on glasses.

This page is printed by `python -m models.pad card`; nothing in it is written by hand but the words.
"""

FIGURES: Final = """
## Figures on people never learnt from

One reading a second, as the cue takes them; a file's measure is the mean of its readings, and it counts as above the
origin when the mean of five readings in a row is. AUC with 95 % intervals over people; where a source shows one person
only there is none, and the figure says little. Films of `val/real` in the second table are the half that the origin was
not set from. `blur` and `brightness` need no learning and stand beside the network: what they tell, the source tells.
"""

LIMITS: Final = """
## Limits

- The films of replays show one person and one telephone, the pictures three people: the figures on them bear no
  general claim. No filmed print was there to be measured.
- It sees a device whose edge, light or pixels can be seen in 1.95 x the face box. A good display that fills the
  picture and is filmed a little out of focus leaves none of these.
- A stream that is injected by a virtual camera is no presentation attack: nothing is filmed, nothing can be seen here.
- Faces cut out tightly, without surroundings, are judged no better than by chance, those of two sources worse.
- Brightness alone ranks these replays as high or higher: their displays were brighter than the rooms of the bona fide
  pictures. Twins in training are lit at random, so that brightness alone convicts nobody.
- Computed screens without a visible edge or strong moire are mostly missed at the origin; prints less often.
"""


def compose(detector: PadDetector, rows: Sequence[Mapping[str, str]], reads: Sequence[Read]) -> str:
    """Put the card together."""
    entry = read_manifest(FOLDER)["pad"]
    facts = {**asdict(entry), "origin": detector.origin, "recipe": Recipe()}
    kept = [f"| {name} | {value} |" for name, value in facts.items() if value != ""]
    table = "\n".join(["", "| fact | value |", "| --- | --- |", *kept, ""])
    learnt = sources([row for row in rows if row["label"] == "real"])
    return "".join(
        [
            OPENING,
            table,
            FIGURES,
            "\n",
            report(reads, detector.origin),
            "\n\n## Training faces (some people kept back)\n\n",
            learnt,
            LIMITS,
        ]
    )
