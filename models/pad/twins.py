# SPDX-License-Identifier: Apache-2.0
"""Footage and a seed in, twins out: a bona fide wide picture and the same as a presentation attack, alike in all else.

Both go through the same camera, crop, codec and scaling, so that neither sharpness nor compression nor a picture's
edge tells them apart; bona fide pictures also show screens and windows behind the person and harsh light.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.camera import another_camera
from models.data.crops import Footage
from models.data.damage import Damage, draw_damage
from models.data.pairs import longer_px
from models.forgeries.clip import Clip, Pixels
from models.forgeries.harmless.background import person_outline
from models.forgeries.warp import about
from models.pad.held import behind, tight
from models.pad.network import CLASSES, WIDE_PX
from models.pad.recapture import draw_light, filmed, printed

__all__ = ["Groups", "Twins", "group", "make_twins"]

PRINT_SHARE: Final = 0.35
CAMERA_SHARE: Final = 0.25
BEHIND_SHARE: Final = 0.25
HARSH_SHARE: Final = 0.4
BARS_SHARE: Final = 0.06
UPRIGHT_BELOW: Final = 0.44
TIGHT_SHARE: Final = 0.35
FOCUS_SHARE: Final = 0.7
FILM_SHARE, GREY_SHARE = 0.5, 0.12
FOCUS_PX: Final = (0.3, 2.2)
"""Blur of a camera out of focus, at 240 px."""

People = list[list[Footage]]


class Twins(NamedTuple):
    """`bona_fide` and `attack` uint8 [192, 192, 3]; `kind` of the attack as its place in `CLASSES`."""

    bona_fide: Pixels
    attack: Pixels
    kind: int


class Groups(NamedTuple):
    """Footage by person: films, coloured portraits, grey portraits."""

    films: People
    portraits: People
    grey: People


def group(footage: Sequence[Footage]) -> Groups:
    """Sort footage by person and sort of picture, so that people are drawn evenly."""
    owned: list[dict[str, list[Footage]]] = [{}, {}, {}]
    for one in footage:
        place = 0 if one.frames > 1 else 2 if one.grey else 1
        owned[place].setdefault(one.identity, []).append(one)
    return Groups(*([some[name] for name in sorted(some)] for some in owned))


def make_twins(groups: Groups, rng: np.random.Generator) -> Twins:
    """Draw a person and make twins of one picture of them."""
    target = _draw(groups, rng)
    clip = another_camera(target.clip([int(rng.integers(target.frames))]), rng, CAMERA_SHARE)
    other = _stranger(groups, target, rng)
    kind = CLASSES.index("print" if rng.random() < PRINT_SHARE else "replay")
    recapture = printed if CLASSES[kind] == "print" else filmed
    real = _in_the_room(clip, other, rng)
    both = [_focused(real, rng), _focused(recapture(real if rng.random() < 0.3 else clip.rgb[0], other, rng), rng)]
    way = _draw_way(clip.side_px, target, rng)
    return Twins(way.send(both[0]), way.send(both[1]), kind)


def _draw(groups: Groups, rng: np.random.Generator) -> Footage:
    chance = rng.random()
    wanted = groups.grey if chance < FILM_SHARE + GREY_SHARE else groups.portraits
    people = (groups.films if chance < FILM_SHARE else wanted) or groups.portraits or groups.films or groups.grey
    owned = people[int(rng.integers(len(people)))]
    return owned[int(rng.integers(len(owned)))]


def _stranger(groups: Groups, target: Footage, rng: np.random.Generator) -> Pixels:
    """Draw a picture of somebody else, whose room and skin are borrowed."""
    other = _draw(groups, rng)
    rgb: Pixels = other.rgb[int(rng.integers(other.frames))]
    if not target.grey:
        return rgb
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def _in_the_room(clip: Clip, other: Pixels, rng: np.random.Generator) -> Pixels:
    """Show a bona fide person with what is mistaken for an attack: frames behind them, harsh light."""
    rgb = clip.rgb[0]
    if rng.random() < BEHIND_SHARE:
        rgb = behind(rgb, person_outline(clip.points[0], 1.15, clip.side_px), other, rng)
    return draw_light(rng, 0.75).apply(rgb) if rng.random() < HARSH_SHARE else rgb


def _focused(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() >= FOCUS_SHARE:
        return rgb
    blur_px = float(np.exp(rng.uniform(*np.log(FOCUS_PX)))) * rgb.shape[0] / 240
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way from camera to crop: black `bars` float64 [4] beside the film or None, `damage`, how far the picture
    `reach`es round the face float64 [4] or None, `matrix` float64 [2, 3] to the crop, whether it is mirrored.
    """

    bars: NDArray[np.float64] | None
    damage: Damage
    reach: NDArray[np.float64] | None
    matrix: NDArray[np.float64]
    flip: bool

    def send(self, rgb: Pixels) -> Pixels:
        """Send a picture uint8 [S, S, 3]: uint8 [192, 192, 3]; both twins go the same way."""
        barred = rgb if self.bars is None else _barred(rgb, self.bars)
        received = self.damage.apply(barred[None])[0]
        seen = received if self.reach is None else tight(received, self.reach)
        size = (WIDE_PX, WIDE_PX)
        cut = cv2.warpAffine(seen, self.matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(cut[:, ::-1] if self.flip else cut, np.uint8)


def _draw_way(side: int, target: Footage, rng: np.random.Generator) -> Way:
    damage = draw_damage(rng, grey=target.grey, face_px=longer_px(target))
    bars = rng.uniform(0.34, 0.48, 4) if rng.random() < BARS_SHARE else None
    reach = np.where(rng.random(4) < 0.6, rng.uniform(0.26, 0.5, 4), 0.5) if rng.random() < TIGHT_SHARE else None
    scale = WIDE_PX / side * float(np.exp(rng.uniform(-0.08, 0.08)))
    shift = rng.normal(0.0, 0.015 * side, 2) - (side - WIDE_PX) / 2
    middle = np.full(2, side / 2, np.float32)
    matrix = about(middle, float(rng.normal(0.0, 3.0)), scale, (float(shift[0]), float(shift[1])))
    return Way(bars, damage, reach, matrix, bool(rng.random() < 0.5))


def _barred(rgb: Pixels, reach: NDArray[np.float64]) -> Pixels:
    """Black bars on both sides of an upright film, or above and below a wide one."""
    side = rgb.shape[0]
    first, last = round((0.5 - float(reach[0])) * side), round((0.5 + float(reach[1])) * side)
    barred = rgb.copy()
    if float(reach[2]) < UPRIGHT_BELOW:
        barred[:, :first], barred[:, last:] = 0, 0
    else:
        barred[:first], barred[last:] = 0, 0
    return barred
