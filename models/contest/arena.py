# SPDX-License-Identifier: Apache-2.0
"""A detector, clips of people it learnt from and a way to forge in, how often such forgeries pass out.

Every attempt of a round meets the same clips, donors, draws and damage (common random numbers), so that attempts differ
by the forger alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.data.crops import Footage
from models.data.damage import Damage, draw_damage
from models.data.pairs import central_crop
from models.detector import Detector
from models.forgeries.clip import Clip, Pixels
from models.forgeries.detail import match_sharpness, sharpness
from models.forgeries.mix import LEAST_CHANGE, change, forge
from models.forgeries.style import Style

__all__ = ["Arena", "Attempt", "Bout", "surviving"]

FRAMES: Final = 2
STRIDE: Final = 2
PASSING: Final = 0.95
"""A forgery passes when it lies under this quantile of the originals' logits: one false alarm in 20."""

SHARPER: Final = 1.5
"""A forgery may be this much sharper or blurrier than its original after matching, and still be plausible."""

SURVIVING: Final = 0.35
"""Share of the edit that damage must leave: a forgery that the codec erased is no forgery."""

DRAWS: Final = 3
LOGIT_BOUND: Final = 8.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to forge: a kind in a style; `damage` 0..1 ranks it among draws of the recipe's, 0 the mildest."""

    kind: str
    style: Style
    damage: float


@dataclass(frozen=True, slots=True)
class Bout:
    """How an attempt went: share of plausible forgeries; of those, the share that passed as bona fide, the share not
    above their own original, mean margin over the original and mean logit over the passing level.
    """

    plausible: float
    passed: float
    under_original: float
    margin: float
    over_level: float


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """`damages` are draws of the recipe's, the mildest first."""

    clip: Clip
    donor: Clip
    seed: tuple[int, int]
    damages: tuple[Damage, ...]

    def damage(self, strength: float) -> Damage:
        """The damage of a strength 0..1 among those drawn."""
        return self.damages[round(strength * (len(self.damages) - 1))]


class Arena:
    """Clips of `footage` drawn with `seed`, and the level under which the detector lets a clip of them pass."""

    def __init__(self, detector: Detector, footage: Sequence[Footage], clips: int, seed: int) -> None:
        self.detector = detector
        self.entries = _entries(footage, clips, seed)
        damaged = [entry.damage(0.5).apply(entry.clip.rgb) for entry in self.entries]
        self.level = float(np.quantile(self._logits(damaged), PASSING))

    def hold(self, attempt: Attempt) -> Bout:
        """Forge every clip this way and ask the detector."""
        made = [_forged(entry, attempt) for entry in self.entries]
        fit = np.array([plausible for _, _, plausible in made])
        logits = self._logits([real for real, _, _ in made] + [fake for _, fake, _ in made])
        real, fake = logits[: len(made)][fit], logits[len(made) :][fit]
        if not fit.any():
            return Bout(0.0, 0.0, 0.0, LOGIT_BOUND, LOGIT_BOUND)
        return Bout(
            float(fit.mean()),
            float((fake <= self.level).mean()),
            float((fake <= real).mean()),
            _bounded(fake - real),
            _bounded(fake - self.level),
        )

    @torch.inference_mode()
    def _logits(self, clips: Sequence[Pixels]) -> Floats:
        crops = np.ascontiguousarray(central_crop(np.stack(clips)))
        tracks = torch.from_numpy(crops).to(self.detector.device)
        output, _ = self.detector.network(tracks, self.detector.new_state(len(tracks)))
        return np.asarray(output.logit.mean(dim=1).cpu().numpy(), np.float64)


def surviving(before: NDArray[np.int16], after: NDArray[np.int16], mask: NDArray[np.float32]) -> float:
    """Share of an edit that is still there: `before` and `after` int [T, S, S, 3] are forgery minus original.

    The projection of what is left on what was done, within the mask.
    """
    weight = mask[..., None]
    done, left = before.astype(np.float32) * weight, after.astype(np.float32) * weight
    return float((done * left).sum() / max(float(np.square(done).sum()), 1e-6))


def _entries(footage: Sequence[Footage], clips: int, seed: int) -> list[_Entry]:
    rng = np.random.default_rng((seed, clips))
    chosen = [footage[int(index)] for index in rng.permutation(len(footage))[:clips]]
    entries = []
    for place, one in enumerate(chosen):
        start = int(rng.integers(max(1, one.frames - STRIDE * (FRAMES - 1))))
        frames = np.minimum(start + STRIDE * np.arange(FRAMES), one.frames - 1)
        others = [other for other in footage if other.identity != one.identity and other.grey == one.grey] or [one]
        donor = others[int(rng.integers(len(others)))]
        clip = one.clip(frames)
        entries.append(_Entry(clip, donor.clip([0]), (seed, place), _ranked(clip, rng, one)))
    return entries


def _ranked(clip: Clip, rng: np.random.Generator, source: Footage) -> tuple[Damage, ...]:
    """Draw damage several times, in order of how much fine detail each changes."""
    drawn = [draw_damage(rng, grey=source.grey, face_px=float(np.median(source.face_px))) for _ in range(DRAWS)]

    def severity(damage: Damage) -> float:
        changed = _fine(damage.apply(clip.rgb[:1])[0]) - _fine(clip.rgb[0])
        return float(np.abs(changed).mean())

    return tuple(sorted(drawn, key=severity))


def _fine(rgb: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_32F), np.float32)


def _forged(entry: _Entry, attempt: Attempt) -> tuple[Pixels, Pixels, bool]:
    """Original and forgery as they arrive, and whether the forgery is plausible and still one."""
    forged = forge(attempt.kind, entry.clip, entry.donor, np.random.default_rng(entry.seed), attempt.style)
    real, fake = forged.twin(entry.clip), forged.rgb
    changed = change(entry.clip, forged)
    real, fake = _blurred(real, fake), _blurred(fake, real)
    damage = entry.damage(attempt.damage)
    real_after, fake_after = damage.apply(real), damage.apply(fake)
    left = surviving(_minus(fake, real), _minus(fake_after, real_after), forged.mask)
    ratio = sharpness(central_crop(fake[0])) / max(sharpness(central_crop(real[0])), 1e-6)
    plausible = changed >= LEAST_CHANGE and left >= SURVIVING and 1 / SHARPER <= ratio <= SHARPER
    return real_after, fake_after, plausible


def _minus(fake: Pixels, real: Pixels) -> NDArray[np.int16]:
    return fake.astype(np.int16) - real.astype(np.int16)


def _blurred(clip: Pixels, like: Pixels) -> Pixels:
    blur_px = match_sharpness(central_crop(clip[0]), central_crop(like[0]))
    if blur_px <= 0:
        return clip
    return np.stack([np.asarray(cv2.GaussianBlur(rgb, (0, 0), blur_px), np.uint8) for rgb in clip])


def _bounded(differences: Floats) -> float:
    """Mean with outliers held: one clip that is far off must not decide."""
    return float(np.clip(differences, -LOGIT_BOUND, LOGIT_BOUND).mean())
