# SPDX-License-Identifier: Apache-2.0
"""A mouth that follows the sound too well, and people, silence, music and gaps that must not be taken for it."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import WeightsError
from models.synchrony.expectation import load_expectation
from models.synchrony.features import log_mel, mouth
from models.voice import load_voice
from monitor.liveness.signals.synchrony import MOST_NATS, MUTE, SILENT, Synchrony, ready
from monitor.liveness.speech.listener import GRID_S, KEPT_S, Listener
from monitor.liveness.speech.sound import RATE_HZ, Stretch
from monitor.values import NO_CONTEXT, AttackKind, AudioChunk, Context, Evidence, FaceCrop, Landmarks
from tests.fakes.films import faces, footage
from tests.fakes.media import data_root, sample
from tests.fakes.sound import SECONDS, chunks, heard, noise, sound_of
from tests.fakes.timeline import crop

Puppet = Callable[[float], np.ndarray]


def said(seen: Iterable[FaceCrop], sound: Sequence[AudioChunk], late_s: float = 0.0) -> list[Evidence]:
    """What a new cue says; `late_s` later the sound arrives."""
    cue = ready()()
    return [cue.look(shot, heard(sound, shot.media_s - late_s)) for shot in seen]


def fired(words: Iterable[Evidence]) -> list[float]:
    """Times at which the cue spoke."""
    return [word.media_s for word in words if word.reliability > 0]


def still(seconds: float = SECONDS, per_s: float = 5.0) -> list[FaceCrop]:
    """Looks at a face whose mouth opens and closes to no sound at all."""
    source = np.random.default_rng(4)
    return [with_mouth(index / per_s, source.uniform(0, 8)) for index in range(int(seconds * per_s))]


def with_mouth(media_s: float, opening: float) -> FaceCrop:
    """A look at lips so far apart, in pixels."""
    points = np.zeros((478, 3), np.float32)
    points[[308, 263], 0] = 40.0, 80.0
    points[[87, 14, 317], 1] = opening
    return replace(crop(media_s), landmarks=Landmarks(points, {"jawOpen": min(1.0, opening / 20)}))


def music(seconds: float = SECONDS) -> np.ndarray:
    """Chords that change twice a second."""
    at_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 220 * 2 ** (np.floor(at_s * 2) % 7 / 12)
    return (sum(np.sin(2 * np.pi * pitch * ratio * at_s) for ratio in (1, 1.25, 1.5)) * 3000).astype(np.int16)


@pytest.fixture
def puppet(monkeypatch: pytest.MonkeyPatch) -> Puppet:
    """A mouth that does what is expected to the sound, all of which counts as speech."""
    monkeypatch.setattr(Listener, "speech_share", lambda _self, at_s: np.ones(len(at_s), np.float32))
    sound = babble()
    frames = log_mel(np.pad(sound.astype(np.float32) / 32768, 200))
    expected = load_expectation().mouths(frames, np.arange(len(frames)))

    def at(media_s: float) -> np.ndarray:
        return expected[min(round(media_s * 100), len(expected) - 1)]

    return at


def babble() -> np.ndarray:
    """Hiss that swells and fades at random, in bands that change, as syllables do."""
    source = np.random.default_rng(7)
    syllables = np.repeat(source.uniform(0, 1, int(SECONDS * 5)) ** 2, RATE_HZ // 5)
    return (source.normal(0, 4000, len(syllables)) * syllables).astype(np.int16)


def played(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet, late_s: float = 0.0, skew_s: float = 0.0, per_s: float = 5.0
) -> list[Evidence]:
    """The puppet before the cue, its sound late or stamped `skew_s` later."""
    scale = load_expectation().scale
    points = np.zeros((478, 3), np.float32)
    seen = [replace(shot, landmarks=Landmarks(points, {"at": shot.media_s})) for shot in still(per_s=per_s)]
    monkeypatch.setattr(
        "monitor.liveness.signals.synchrony.mouth", lambda _points, shapes: puppet(shapes["at"]) * scale
    )
    return said(seen, chunks(babble(), skew_s), late_s)


@pytest.mark.parametrize(("per_s", "speaks"), [(1.5, False), (2.5, True), (12.0, True), (30.0, True)])
def test_other_rates_are_served_or_abstained_from(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet, per_s: float, *, speaks: bool
) -> None:
    """Too few looks are said to tell nothing; more than are needed change nothing."""
    words = played(monkeypatch, puppet, per_s=per_s)
    assert bool(fired(words)) == speaks


def test_a_mouth_drawn_from_the_sound_is_called_one(monkeypatch: pytest.MonkeyPatch, puppet: Puppet) -> None:
    """It follows at every syllable; the cue says so, modestly, and for which attacks."""
    words = played(monkeypatch, puppet)
    assert fired(words)
    assert words[-1].kinds == {AttackKind.LIP_SYNC: 0.5, AttackKind.SYNTHETIC: 0.5}
    assert 0 < words[-1].llr_nats <= MOST_NATS


@pytest.mark.parametrize(("late_s", "skew_s"), [(0.5, 0.0), (1.5, 0.0), (0.0, 0.5), (0.0, -0.6), (0.5, 0.3)])
def test_sound_that_is_late_or_skewed_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet, late_s: float, skew_s: float
) -> None:
    """Sound and picture travel apart: the lag is found and removed."""
    words = played(monkeypatch, puppet, late_s, skew_s)
    assert fired(words)
    assert words[-1].measure == pytest.approx(played(monkeypatch, puppet)[-1].measure, abs=0.25)


def test_a_mouth_that_does_not_follow_proves_nothing(monkeypatch: pytest.MonkeyPatch, puppet: Puppet) -> None:
    """Somebody else may be speaking: the cue measures, and abstains."""
    words = played(monkeypatch, lambda media_s: puppet((media_s * 3) % SECONDS))
    assert fired(words) == []
    assert words[-1].measure is not None


@pytest.mark.parametrize("sound", [np.zeros(int(SECONDS * RATE_HZ), np.int16), noise(), music()])
def test_silence_noise_and_music_are_not_speech(sound: np.ndarray) -> None:
    """A moving mouth beside them is a muted participant, and a normal one."""
    words = said(still(), chunks(sound))
    assert {word.reliability for word in words} == {0.0}
    assert {word.sentence for word in words} == {SILENT}
    assert {word.measure for word in words} == {None}


def test_without_sound_the_cue_says_so() -> None:
    """No audio track, or one that has stopped."""
    assert {word.sentence for word in said(still(4), [])} == {MUTE}
    words = said(still(12), chunks(noise(3)))
    assert words[-1].sentence == MUTE


def test_looks_without_landmarks_and_from_the_side_are_left_out(
    monkeypatch: pytest.MonkeyPatch, puppet: Puppet
) -> None:
    """A profile's mouth has another shape."""
    cue = ready()()
    sound = chunks(babble())
    for shot in still():
        aside = replace(shot, quality=replace(shot.quality, yaw_deg=50.0), landmarks=shot.landmarks)
        assert cue.look(aside, heard(sound, shot.media_s)).sentence in {MUTE, SILENT}
        assert cue.look(replace(shot, landmarks=None), heard(sound, shot.media_s)).sentence in {MUTE, SILENT}


@pytest.mark.parametrize("name", ["pexels_woman", "selfie_noface"])
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_people_on_films_are_not_accused(name: str) -> None:
    """Real faces with the sound of their films, in which nobody speaks."""
    words = said(faces(footage(sample(name))), chunks(sound_of(sample(name))))
    assert {word.sentence for word in words} <= {SILENT, MUTE}


@pytest.mark.footage
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_speaker_is_measured_and_not_accused() -> None:
    """A real person who speaks, alone and with a second speaker over it: measured each time, and no evidence."""
    film, other = sorted((data_root() / "val" / "real").glob("liutaocode_RD-Radio*"))[:2]
    own, over = sound_of(film), sound_of(other)
    seen = list(faces(footage(film)))
    length = min(len(own), len(over))
    for sound in (own, own[:length] // 2 + over[:length] // 2):
        words = said(seen, chunks(sound))
        assert any(word.measure is not None for word in words)
        assert fired(words) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 30), st.integers(1, 40_000), st.booleans()), max_size=12))
def test_any_order_of_gaps_keeps_the_state_bounded(events: list[tuple[float, int, bool]]) -> None:
    """Sound of any length at any time, looks between: no failure, numbers throughout, 14 s at most."""
    cue = ready()()
    source = np.random.default_rng(1)
    for at_s, count, muted in events:
        sound = source.normal(0, 3000, count).astype(np.int16)
        context = NO_CONTEXT if muted else Context(sound=(AudioChunk("c", "p", at_s, 0.0, sound, RATE_HZ),))
        word = cue.look(with_mouth(at_s, 3.0), context)
        assert np.isfinite(word.llr_nats)
        assert word.measure is None or np.isfinite(word.measure)
    assert len(cue._listener.expected[1]) <= KEPT_S / GRID_S
    assert len(cue._looks) <= 150


def test_a_mouth_is_described_free_of_scale() -> None:
    """A face half as large has the same mouth."""
    marks = with_mouth(0.0, 5.0).landmarks
    assert marks is not None
    assert mouth(marks.points / 2, marks.blendshapes) == pytest.approx(mouth(marks.points, marks.blendshapes))


def test_memory_and_cost_do_not_grow_with_the_call() -> None:
    """The second minute costs what the first did, and what is kept stays within its bound."""
    listener = Listener(load_voice(), load_expectation())
    second = noise(1).astype(np.float32) / 32768

    def minute(from_s: int) -> float:
        began = time.thread_time()
        for index in range(60):
            listener.hear(Stretch(from_s + float(index), second, anew=from_s + index == 0))
        return time.thread_time() - began

    minute(0)
    first, later = minute(60), minute(120)
    assert later < 3 * first
    assert len(listener.expected[1]) <= KEPT_S / GRID_S


def test_the_weights_are_refused_when_altered(tmp_path) -> None:
    """Both files are known by their hash."""
    for load in (load_voice, load_expectation):
        (tmp_path / "weights").write_bytes(b"others")
        with pytest.raises(WeightsError, match="altered"):
            load(tmp_path / "weights")
        with pytest.raises(WeightsError, match="missing"):
            load(tmp_path / "none")


def test_the_cue_keeps_its_name() -> None:
    """As the configuration spells it."""
    assert Synchrony.cue == "synchrony"
