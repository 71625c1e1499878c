# SPDX-License-Identifier: Apache-2.0
"""An alert and its face's worst looks in, what is told of them out."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from monitor.publish.events import AlertData
from monitor.publish.explanations.overlay import png
from monitor.values import WorstLook

__all__ = ["ExplainedLook", "Explanation", "Face", "Kept", "explain", "keep"]

Level = Annotated[int, Field(ge=0, le=255)]


class _Model(BaseModel):
    """Base of what is told: frozen, only finite numbers."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Face(_Model):
    """Face box in pixels of the source; may reach over the picture's edge."""

    left: float
    top: float
    width: float
    height: float


class ExplainedLook(_Model):
    """One look at the face, one of the few that the network scored highest."""

    media_s: float = Field(description="Media time of the look.")
    score: float | None = Field(description="Score of this look alone; higher speaks for an attack.")
    face: Face
    boundary: tuple[tuple[Level, ...], ...] = Field(
        description="Rows of a map over the crop, which is 1.3 x the face box: 255 where a blend surely ends."
    )


class Explanation(_Model):
    """What an alert rests on."""

    alert: AlertData = Field(description="The newest word on the alert, with its timeline and what each cue added.")
    looks: tuple[ExplainedLook, ...] = Field(description="The worst looks, the worst first.")
    pictures: int = Field(0, ge=0, description="Pictures that can be asked for, numbered from 1 as the looks are.")


class Kept(_Model):
    """What a sealed file holds: an explanation and the crops of its looks as PNG."""

    explanation: Explanation
    crops: tuple[Base64Bytes, ...]


def explain(alert: AlertData, looks: Sequence[WorstLook]) -> Explanation:
    """Put together what is told of an alert; no pixel of the face is in it."""
    return Explanation(alert=alert, looks=tuple(_told(look) for look in looks))


def keep(explanation: Explanation, looks: Sequence[WorstLook]) -> Kept:
    """Put together what is kept on the disk: the explanation and the crops; blocking."""
    crops = tuple(png(look.rgb) for look in looks if look.rgb is not None)
    return Kept.model_construct(explanation=explanation, crops=crops)


def _told(look: WorstLook) -> ExplainedLook:
    left, top, width, height = (round(value, 1) for value in look.box)
    return ExplainedLook(
        media_s=round(look.media_s, 3),
        score=None if look.score is None else round(look.score, 4),
        face=Face(left=left, top=top, width=width, height=height),
        boundary=tuple(tuple(row) for row in look.boundary.tolist()),
    )
