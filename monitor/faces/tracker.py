# SPDX-License-Identifier: Apache-2.0
"""Faces seen in frame after frame in, identities that stay with the same face out; pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from monitor.faces import boxes
from monitor.faces.boxes import centre, size
from monitor.faces.patch import Patch, likeness
from monitor.values import FaceBox

__all__ = ["NO_TRACKS", "Followed", "Sighting", "Track", "Tracks", "expected", "follow", "scaled"]

CUT_LIKENESS = 0.6
"""Two frames whose fingerprints correlate less than this show different scenes: 0.2 s apart in one clip 99.8 %
correlate better (40 clips of close-cut faces), frames of different clips in 5 % of pairs."""

SAME_FACE_LIKENESS = 0.75
"""Least correlation of face patches for a track to go on across a cut: reached by 99 % of faces 0.2 s apart and by
1 % of pairs of different people in the same clips."""

NEAR_LIKENESS = 0.6
NEAR_LIKENESS_PER_S = 0.3
"""Least correlation of face patches while the scene may be the same, and how fast that falls while a face is out of
sight; the least seen 0.2 s apart was 0.67, 1 s apart 0.38."""

SAME_SCENE_LIKENESS = 0.9
"""Above this the scene is surely the same (0.5 % of pairs of clips reach it): the place alone tells who it is, and a
hand or another person before a face makes nobody new."""

CROWDED = 1.6
"""Faces closer than this, in their sizes, may hide one another: what is seen of them then neither rules a track out nor
is remembered."""

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
    """One face in one frame; `patch` is its fingerprint."""

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


def scaled(tracks: Tracks, factor: float) -> Tracks:
    """Carry tracks over to pictures `factor` times as large."""
    return replace(tracks, known=tuple(_scaled(track, factor) for track in tracks.known))


def expected(tracks: Tracks, media_s: float) -> list[FaceBox]:
    """Give where the known faces should be now, the last seen first."""
    known = sorted(tracks.known, key=lambda track: (-track.seen_s, track.number))
    return [_moved(track, media_s - track.seen_s) for track in known]


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
    for sighting, owner, hidden in zip(sightings, owners, _crowded(sightings), strict=True):
        if owner is None:
            track = Track(next_number, sighting, scene, media_s)
            next_number += 1
        else:
            shown = replace(sighting, patch=owner.sighting.patch) if hidden else sighting
            track = _seen_again(owner, shown, scene, media_s)
        seen[track.number] = track
        numbers.append(track.number)
    kept = {track.number: track for track in alive} | seen
    ended = tuple(track.number for track in tracks.known if track.number not in kept)
    known = tuple(kept[number] for number in sorted(kept))
    return Followed(Tracks(known, next_number), tuple(numbers), ended)


def _assign(tracks: Sequence[Track], sightings: Sequence[Sighting], scene: Patch, media_s: float) -> list[Track | None]:
    owners: list[Track | None] = [None] * len(sightings)
    if not tracks or not sightings:
        return owners
    crowded = _crowded(sightings)
    cost = np.array(
        [
            [
                _cost(track, sighting, scene, media_s, hidden=hidden)
                for sighting, hidden in zip(sightings, crowded, strict=True)
            ]
            for track in tracks
        ]
    )
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < IMPOSSIBLE:
            owners[column] = tracks[row]
    return owners


def _crowded(sightings: Sequence[Sighting]) -> list[bool]:
    """Tell of each face whether another one is so close that either may cover the other."""
    return [any(other is not one and _close(one.box, other.box) for other in sightings) for one in sightings]


def _close(one: FaceBox, other: FaceBox) -> bool:
    return math.dist(centre(one), centre(other)) < CROWDED * (size(one) + size(other)) / 2


def _cost(track: Track, sighting: Sighting, scene: Patch, media_s: float, *, hidden: bool) -> float:
    unseen_s = max(media_s - track.seen_s, 0.0)
    before, now = max(size(track.sighting.box), 1.0), max(size(sighting.box), 1.0)
    away = math.dist(centre(_moved(track, unseen_s)), centre(sighting.box)) * 2 / (before + now)
    grown = abs(math.log(now / before))
    alike = likeness(track.sighting.patch, sighting.patch)
    least = _least_likeness(likeness(track.scene, scene), unseen_s, hidden=hidden)
    if away > REACH + REACH_PER_S * unseen_s or grown > SIZE_REACH or alike < least:
        return IMPOSSIBLE
    return away + grown + (1.0 - alike)


def _least_likeness(scenes: float, unseen_s: float, *, hidden: bool) -> float:
    if scenes < CUT_LIKENESS:
        return SAME_FACE_LIKENESS
    if hidden or scenes >= SAME_SCENE_LIKENESS:
        return -1.0
    return max(NEAR_LIKENESS - NEAR_LIKENESS_PER_S * unseen_s, 0.0)


def _seen_again(track: Track, sighting: Sighting, scene: Patch, media_s: float) -> Track:
    elapsed_s = media_s - track.seen_s
    if elapsed_s <= 0.0:
        return replace(track, sighting=sighting, scene=scene)
    before, now = centre(track.sighting.box), centre(sighting.box)
    x, y = ((now[axis] - before[axis]) / elapsed_s for axis in (0, 1))
    velocity = ((x + track.velocity[0]) / 2, (y + track.velocity[1]) / 2)
    return replace(track, sighting=sighting, scene=scene, seen_s=media_s, velocity=velocity)


def _moved(track: Track, unseen_s: float) -> FaceBox:
    coast_s = min(max(unseen_s, 0.0), COAST_S)
    box = track.sighting.box
    return box._replace(left=box.left + track.velocity[0] * coast_s, top=box.top + track.velocity[1] * coast_s)


def _scaled(track: Track, factor: float) -> Track:
    sighting = replace(track.sighting, box=boxes.scaled(track.sighting.box, factor))
    return replace(track, sighting=sighting, velocity=(track.velocity[0] * factor, track.velocity[1] * factor))
