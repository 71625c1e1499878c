# SPDX-License-Identifier: Apache-2.0
"""Faces seen in frame after frame in, identities that stay with the same face out; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from monitor.values import FaceBox

__all__ = ["NO_TRACKS", "Followed", "Sighting", "Track", "Tracks", "follow", "likeness"]

Patch = NDArray[np.float32]

CUT_LIKENESS = 0.5
"""Two frames whose thumbnails correlate less than this show different scenes."""

SAME_FACE_LIKENESS = 0.75
"""Least correlation of face patches for a track to go on across a cut: another person is not taken for the same."""

NEAR_LIKENESS = 0.0
"""Least correlation of face patches within one scene; expressions and turns change a patch, places hardly."""

REACH = 1.0
"""Furthest a face is looked for from where it is expected, in face sizes, at once after it was seen."""

REACH_PER_S = 1.5
"""What each further second out of sight adds to the reach."""

SIZE_REACH = 0.7
"""Largest change of size (log ratio) between two sightings."""

COAST_S = 0.5
"""A face out of sight is expected to move on for this long."""

IMPOSSIBLE = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One face in one frame; `patch` float32 [n] is its picture, zero mean, unit length (all 0 when flat)."""

    box: FaceBox
    patch: Patch


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face over time as last seen; `scene` is the frame's thumbnail then, `velocity` its centre's px/s."""

    number: int
    sighting: Sighting
    scene: Patch
    seen_s: float
    velocity: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """All faces being followed, and the number the next new face gets."""

    known: tuple[Track, ...] = ()
    next_number: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The tracks after a frame, the track number of each sighting in order, and the tracks that ended."""

    tracks: Tracks
    numbers: tuple[int, ...]
    ended: tuple[int, ...]


NO_TRACKS = Tracks()


def likeness(one: Patch, other: Patch) -> float:
    """Correlate two patches of zero mean and unit length: 1 the same picture, 0 nothing in common."""
    return float(np.dot(one, other))


def follow(
    tracks: Tracks, sightings: Sequence[Sighting], scene: Patch, media_s: float, forget_after_s: float
) -> Followed:
    """Give every sighting its track by optimal assignment over place, size and looks.

    Numbers are never used twice. A track unseen for more than `forget_after_s` ends. Across a scene cut (the
    thumbnail `scene`, a patch too, no longer resembles the one of the track's last sighting) only a face that looks
    the same in the same place keeps its track; a flash between two sightings changes nothing.
    """
    alive = tuple(track for track in tracks.known if media_s - track.seen_s <= forget_after_s)
    owners = _assign(alive, sightings, scene, media_s)
    numbers: list[int] = []
    seen: dict[int, Track] = {}
    next_number = tracks.next_number
    for sighting, owner in zip(sightings, owners, strict=True):
        if owner is None:
            track = Track(next_number, sighting, scene, media_s)
            next_number += 1
        else:
            track = _seen_again(owner, sighting, scene, media_s)
        seen[track.number] = track
        numbers.append(track.number)
    kept = {track.number: track for track in alive} | seen
    ended = tuple(track.number for track in tracks.known if track.number not in kept)
    known = tuple(kept[number] for number in sorted(kept))
    return Followed(Tracks(known, next_number), tuple(numbers), ended)


def _assign(
    tracks: Sequence[Track], sightings: Sequence[Sighting], scene: Patch, media_s: float
) -> list[Track | None]:
    owners: list[Track | None] = [None] * len(sightings)
    if not tracks or not sightings:
        return owners
    cost = np.array([[_cost(track, sighting, scene, media_s) for sighting in sightings] for track in tracks])
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < IMPOSSIBLE:
            owners[column] = tracks[row]
    return owners


def _cost(track: Track, sighting: Sighting, scene: Patch, media_s: float) -> float:
    unseen_s = max(media_s - track.seen_s, 0.0)
    size = (_size(track.sighting.box) + _size(sighting.box)) / 2
    away = math.dist(_expected(track, unseen_s), _centre(sighting.box)) / size
    grown = abs(math.log(_size(sighting.box) / _size(track.sighting.box)))
    alike = likeness(track.sighting.patch, sighting.patch)
    cut = likeness(track.scene, scene) < CUT_LIKENESS
    least = SAME_FACE_LIKENESS if cut else NEAR_LIKENESS
    if away > REACH + REACH_PER_S * unseen_s or grown > SIZE_REACH or alike < least:
        return IMPOSSIBLE
    return away + grown + (1.0 - alike)


def _seen_again(track: Track, sighting: Sighting, scene: Patch, media_s: float) -> Track:
    elapsed_s = media_s - track.seen_s
    velocity = track.velocity
    if elapsed_s > 0.0:
        now, before = _centre(sighting.box), _centre(track.sighting.box)
        measured = ((now[0] - before[0]) / elapsed_s, (now[1] - before[1]) / elapsed_s)
        velocity = ((measured[0] + velocity[0]) / 2, (measured[1] + velocity[1]) / 2)
    return replace(track, sighting=sighting, scene=scene, seen_s=max(media_s, track.seen_s), velocity=velocity)


def _expected(track: Track, unseen_s: float) -> tuple[float, float]:
    x, y = _centre(track.sighting.box)
    coast_s = min(unseen_s, COAST_S)
    return x + track.velocity[0] * coast_s, y + track.velocity[1] * coast_s


def _centre(box: FaceBox) -> tuple[float, float]:
    return box.left + box.width / 2, box.top + box.height / 2


def _size(box: FaceBox) -> float:
    return max(math.sqrt(max(box.width, 0.0) * max(box.height, 0.0)), 1.0)
