# SPDX-License-Identifier: Apache-2.0
"""What cameras, networks and codecs do to a clip: drawn once, applied alike to a real clip and to its forged twin."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.codec import PLAIN, Compression, Scaler, compress, jpeg
from models.data.layers import Sent, draw_sent
from models.data.network import Network, draw_network, freezes
from models.forgeries.clip import Pixels
from models.forgeries.colour import ColourShift, draw_colour

__all__ = ["FULL_FACE", "Damage", "draw_damage"]

VP8_QUANTISERS: Final = (8, 57)
H264_QUANTISERS: Final = (20, 42)
JPEG_QUALITIES: Final = (35, 96)
LOOKS_PER_S: Final = 5.0
USUAL_KBPS: Final = 300.0
CONSTANT_SHARE: Final = 0.4
LOSSY_SHARE: Final = 0.12
TORN_SHARE: Final = 0.25
PLAIN_SCALER_SHARE: Final = 0.5

FULL_FACE: Final = 1 / (1.5 * 1.3)
"""Longer side of the face over the side of an exported picture: the crop is 1.3 faces, the picture 1.5 crops."""

REFERENCE_PX: Final = 168.0
"""Side of exported pictures for which blur is given."""

LEAST_FACE_PX: Final = 48.0
LARGEST_FACE_PX: Final = 512.0
MOST_BLUR_PX: Final = 1.4
MOST_NOISE: Final = 10.0
DOWN: Final = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
UP: Final = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)
MACROBLOCK_PX: Final = 16
NOISE_PX: Final = 48
"""How far parts of the noise lie apart at most: drawing it anew for every frame would cost more than a codec."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One draw of everything that happens to a clip on its way; `seed` fixes noise, freezes and torn rows.

    `noise` in grey levels, `blur_px` at a picture of 168 px, `face_px` the face's longer side in the picture sent,
    `network` None for one that loses nothing; `torn`: a decoder went on with lost packets and kept old rows.
    """

    colour: ColourShift | None
    grey: bool
    noise: float
    blur_px: float
    face_px: float
    compression: Compression | None
    jpeg_quality: int | None
    seed: int
    scaler: Scaler = PLAIN
    network: Network | None = None
    torn: bool = False

    @property
    def quality(self) -> NDArray[np.float32]:
        """What a network may be asked to tell, float32 [4] in 0..1, 1 for most: size of the face (log2, 0 for 48 px and
        1 for 512 px), coarseness of compression, blur (of 1.4 px at 168), noise (of 10 grey levels).

        Blur and noise of the footage itself are not known and not counted.
        """
        size = np.log2(self.face_px / LEAST_FACE_PX) / np.log2(LARGEST_FACE_PX / LEAST_FACE_PX)
        values = (size, self._coarseness(), self.blur_px / MOST_BLUR_PX, self.noise / MOST_NOISE)
        return np.clip(np.array(values, np.float32), 0.0, 1.0)

    def apply(self, clip: Pixels) -> Pixels:
        """Damage a clip uint8 [T, S, S, 3]; both twins of a pair get exactly the same."""
        result = self.colour.apply(clip) if self.colour else clip
        if self.blur_px > 0:
            blur_px = self.blur_px * clip.shape[1] / REFERENCE_PX
            result = np.stack([cv2.GaussianBlur(rgb, (0, 0), blur_px) for rgb in result])
        if self.noise > 0:
            result = self._with_noise(result)
        return self._transported(to_grey(result) if self.grey else result)

    def width_px(self, side_px: int) -> int:
        """Side at which a picture of `side_px` is sent, so that its face is `face_px`; never larger than it is."""
        return min(side_px, max(MACROBLOCK_PX, round(self.face_px / FULL_FACE)))

    def _coarseness(self) -> float:
        if self.compression:
            return self.compression.level(round(self.face_px / FULL_FACE))
        return (100 - self.jpeg_quality) / 100 if self.jpeg_quality else 0.0

    def _with_noise(self, clip: Pixels) -> Pixels:
        """Add noise, fine or coarse; every frame shows another part of one field, mirrored by chance."""
        rng = np.random.default_rng(self.seed)
        side = clip.shape[1]
        field = rng.standard_normal((side + NOISE_PX, side + NOISE_PX, 3), np.float32) * self.noise
        if self.seed % 2:
            field = np.asarray(cv2.GaussianBlur(field, (0, 0), 0.7) * 1.8, np.float32)
        result = np.empty_like(clip)
        for index, (top, left, turn) in enumerate(rng.integers((0, 0, 0), (NOISE_PX, NOISE_PX, 3), (len(clip), 3))):
            part = cv2.flip(field[top : top + side, left : left + side], int(turn) - 1)
            result[index] = cv2.add(clip[index], part, dtype=cv2.CV_8U)
        return result

    def _transported(self, clip: Pixels) -> Pixels:
        sent_px = self.width_px(clip.shape[1])
        if self.network is None or len(clip) == 1:
            return self._coded(clip, self.compression, sent_px)
        kbps = self.compression.kbps if self.compression else 0.0
        lost = freezes(self.network, len(clip), LOOKS_PER_S, kbps or USUAL_KBPS, self.seed)
        anew = replace(self.compression, keyframes=lost.keyframes) if self.compression else None
        received = self._coded(clip, anew, sent_px)
        if self.torn:
            return self._torn(received, lost.shown, sent_px)
        return received[list(lost.shown)]

    def _coded(self, clip: Pixels, compression: Compression | None, sent_px: int) -> Pixels:
        side = clip.shape[1]
        if compression:
            return compress(clip, compression, sent_px, self.scaler)
        if self.jpeg_quality is None and sent_px == side:
            return clip
        small = (self.scaler.shrink(rgb, sent_px) for rgb in clip)
        packed = (jpeg(rgb, self.jpeg_quality) if self.jpeg_quality else rgb for rgb in small)
        return np.stack([self.scaler.enlarge(rgb, side) for rgb in packed])

    def _torn(self, clip: Pixels, shown: tuple[int, ...], sent_px: int) -> Pixels:
        """Keep rows of macroblocks of the frame before where a frame came in part, as decoders conceal losses."""
        rng = np.random.default_rng(self.seed)
        block_px = MACROBLOCK_PX * clip.shape[1] // sent_px
        result = clip.copy()
        for index, showing in enumerate(shown):
            first, rows = (block_px * int(count) for count in rng.integers((0, 1), (10, 6)))
            if showing != index:
                result[index, first : first + rows] = result[index - 1, first : first + rows]
        return result


def to_grey(clip: Pixels) -> Pixels:
    """Take the colour away, uint8 [T, S, S, 3]."""
    return np.stack([cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) for rgb in clip])


def _draw_compression(rng: np.random.Generator, sent: Sent) -> Compression:
    codec = "vp8" if rng.random() < 0.5 else "h264"
    if rng.random() >= CONSTANT_SHARE:
        return Compression(codec, kbps=sent.kbps, fps=LOOKS_PER_S)
    low, high = VP8_QUANTISERS if codec == "vp8" else H264_QUANTISERS
    return Compression(codec, int(rng.integers(low, high)), fps=LOOKS_PER_S)


def _draw_scaler(rng: np.random.Generator) -> Scaler:
    if rng.random() < PLAIN_SCALER_SHARE:
        return PLAIN
    return Scaler(int(rng.choice(DOWN)), int(rng.choice(UP)), bool(rng.random() < 0.5))


def draw_damage(
    rng: np.random.Generator, *, grey: bool, face_px: float = LARGEST_FACE_PX, codec: bool = True
) -> Damage:
    """Draw the damage of one pair; a grey original makes both twins grey.

    `face_px` is the longer side of the face in the original picture: what is sent is not said to be finer than that.
    Without `codec` no encoder is used.
    """
    transport = rng.random()
    low_light = rng.random() < 0.15
    sent = draw_sent(rng)
    compression = _draw_compression(rng, sent)
    network = draw_network(rng)
    return Damage(
        colour=draw_colour(rng, 1.6 if low_light else 1.0) if rng.random() < 0.7 else None,
        grey=grey or rng.random() < 0.04,
        noise=float(rng.uniform(1.0, 10.0 if low_light else 4.0)) if low_light or rng.random() < 0.2 else 0.0,
        blur_px=float(rng.uniform(0.3, 1.4)) if rng.random() < 0.25 else 0.0,
        face_px=min(face_px, max(LEAST_FACE_PX, sent.face_px)),
        compression=compression if codec and transport < 0.5 else None,
        jpeg_quality=int(rng.integers(*JPEG_QUALITIES)) if 0.5 <= transport < 0.75 else None,
        seed=int(rng.integers(2**31)),
        scaler=_draw_scaler(rng),
        network=network if rng.random() < LOSSY_SHARE else None,
        torn=rng.random() < TORN_SHARE,
    )
