# SPDX-License-Identifier: Apache-2.0
"""The frozen picture, and the living one that must not be taken for it."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import av
import numpy as np
import pytest

from monitor.liveness.signals.frozen import STILL_S, FrozenFace
from monitor.values import AttackKind, Evidence, FaceCrop
from tests.fakes.films import faces, footage
from tests.fakes.media import data_root
from tests.fakes.timeline import crop, quality

PER_S = 5.0


def looks(shots: Iterable[FaceCrop]) -> list[Evidence]:
    """What a new cue says of each crop."""
    cue = FrozenFace()
    return [cue.look(shot) for shot in shots]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def noisy(count: int, sigma: float) -> Iterator[FaceCrop]:
    """A face that does not move at all, seen by a camera with noise."""
    source = np.random.default_rng(5)
    still = source.integers(40, 200, (64, 64, 3)).astype(np.float64)
    for index in range(count):
        rgb = np.clip(still + source.normal(0, sigma, still.shape), 0, 255).astype(np.uint8)
        yield replace(crop(index / PER_S), rgb=rgb)


def test_an_exact_repeat_is_called_frozen_after_three_seconds():
    """It speaks for `frozen` alone, softly, and with the reliability of the look."""
    words = looks(crop(index / PER_S, seen=quality(weight=0.8)) for index in range(40))
    assert fired(words)[0] == pytest.approx(STILL_S)
    assert fired(words)[-1] == words[-1].media_s
    assert words[-1].kinds == {AttackKind.FROZEN: 1.0}
    assert (words[-1].llr_nats, words[-1].reliability) == (1.0, 0.8)


def test_until_then_it_abstains_and_says_so():
    """A moving picture is no proof of life: nothing is said for the bona fide side."""
    words = looks(crop(index / PER_S, level=100 + index) for index in range(40))
    assert {(word.llr_nats, word.reliability) for word in words} == {(0.0, 0.0)}
    assert words[-1].sentence


def test_the_noise_of_a_camera_is_life_enough():
    """A motionless face in front of a real sensor differs from picture to picture."""
    assert fired(looks(noisy(60, sigma=1.5))) == []


def test_the_ripple_of_a_codec_is_not():
    """A still that is coded again and again differs by a fraction of a grey level."""
    assert fired(looks(noisy(60, sigma=0.3)))


def test_one_change_starts_the_count_anew():
    """A blink after two seconds of stillness resets the clock."""
    shots = [crop(index / PER_S, level=140 if index == 10 else 128) for index in range(40)]
    assert fired(looks(shots))[0] == pytest.approx(11 / PER_S + STILL_S)


def test_a_gap_starts_the_count_anew():
    """What was not watched was not seen to be still."""
    shots = [crop(index * 1.5) for index in range(20)]
    assert fired(looks(shots)) == []


def test_time_that_runs_back_and_crops_that_change_size_start_anew():
    """Odd input costs the count, nothing else."""
    shots = [crop(index / PER_S) for index in range(14)]
    shots += [crop(index / PER_S) for index in range(14)]
    shots += [crop(2.8 + index / PER_S, side=16) for index in range(14)]
    assert fired(looks(shots)) == []


def coded_still(i420: np.ndarray, seconds: float, kbps: int) -> Iterator[tuple[float, np.ndarray]]:
    """One picture sent again and again as VP8 at 30 pictures a second, then decoded."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("libvpx", rate=30, options={"deadline": "realtime", "cpu-used": "8"})
        stream.height, stream.width = i420.shape[0] * 2 // 3, i420.shape[1]
        stream.pix_fmt, stream.bit_rate, stream.gop_size = "yuv420p", kbps * 1000, 300
        for index in range(int(seconds * 30)):
            picture = av.VideoFrame.from_ndarray(i420, format="yuv420p")
            picture.pts = index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index % 6 == 0:
                yield index / 30, picture.to_ndarray(format="yuv420p")


@pytest.mark.footage
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_it_never_fires_on_bona_fide_footage_and_always_on_stills_made_of_it():
    """Real clips of both splits stay silent; a picture of each, looped through VP8 at 600 kbit/s, does not."""
    root = data_root()
    clips = [*sorted((root / "train/real").glob("*.mp4"))[::12], *sorted((root / "val/real").glob("*.mp4"))[::12]]
    assert clips
    for clip in clips:
        assert fired(looks(faces(footage(clip)))) == [], clip.name
    for clip in clips[::6]:
        i420 = next(islice(footage(clip), 3, None))[1]
        assert fired(looks(faces(coded_still(i420, 8.0, kbps=600)))), clip.name
