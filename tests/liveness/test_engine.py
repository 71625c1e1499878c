# SPDX-License-Identifier: Apache-2.0
"""The engine: crops of all callers in, evidence out."""

import asyncio
import itertools
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from structlog.testing import capture_logs

from models import registry
from models.errors import WeightsError
from monitor.config import LivenessSettings
from monitor.errors import ModelError, StartError
from monitor.liveness.devices import resolve_device
from monitor.liveness.engine import Engine
from monitor.values import AttackKind, FaceCrop
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop, quality


def engine(detector: FakeDetector | None = None, **settings) -> Engine:
    """An engine round a fake detector."""
    fake = detector or FakeDetector()
    return Engine(LivenessSettings(**{"batch_deadline_ms": 2.0} | settings), load=lambda name, device: fake)


def of(participant: str, shot: FaceCrop) -> FaceCrop:
    """The same crop from someone else."""
    return replace(shot, participant=participant)


def network(words) -> list:
    """What the network says, without the other cues."""
    return [word for word in words if word.cue == "detector"]


async def test_evidence_carries_the_calibrated_word_of_the_network():
    """Ratio and score come from the calibration, reliability from the quality; a person can read the sentence."""
    async with engine() as at_work:
        (word,) = network(await at_work.judge([crop(1.5, 7, level=255, seen=quality(weight=0.4))]))
    assert (word.track, word.media_s) == (7, 1.5)
    assert word.llr_nats == pytest.approx(0.5)
    assert word.score == pytest.approx(torch.sigmoid(torch.tensor(0.5)).item())
    assert word.reliability == 0.4
    assert max(word.kinds, key=word.kinds.get) is AttackKind.FACE_SWAP
    assert sum(word.kinds.values()) == pytest.approx(1.0)
    assert word.sentence.endswith(".")


async def test_no_crops_no_evidence():
    """A look without a usable face costs nothing."""
    fake = FakeDetector()
    async with engine(fake) as at_work:
        assert await at_work.judge([]) == ()
    assert fake.batches == []


async def test_every_crop_is_answered_in_order_by_every_cue():
    """One piece of evidence per crop and cue, in the order of the crops."""
    async with engine() as at_work:
        words = await at_work.judge([crop(0.0, track) for track in (3, 1, 2)])
    assert [word.track for word in network(words)] == [3, 1, 2]
    assert len({word.cue for word in words}) * 3 == len(words)


async def test_a_batch_equals_single_steps():
    """Judging tracks together or one by one gives the same evidence."""
    levels = {1: 10, 2: 120, 3: 240}
    async with engine() as together, engine() as apart:
        for index in range(6):
            shots = [crop(index / 5, track, level=level) for track, level in levels.items()]
            batch = await together.judge(shots)
            single = [word for shot in shots for word in await apart.judge([shot])]
            assert list(batch) == single


async def test_permuting_callers_changes_nothing():
    """Whoever asks first, each participant gets the evidence of its own face."""
    people = {"ann": 20, "bob": 130, "cid": 250}
    found = []
    for order in itertools.permutations(people):
        async with engine() as at_work:
            for index in range(3):
                asked = {name: of(name, crop(index / 5, level=people[name])) for name in order}
                answers = await asyncio.gather(*(at_work.judge([shot]) for shot in asked.values()))
            found.append(dict(zip(order, answers, strict=True)))
    assert all(answer == found[0] for answer in found)


async def test_callers_share_one_batch():
    """Crops of several participants that come together make one step."""
    fake = FakeDetector()
    async with engine(fake, batch_deadline_ms=50.0) as at_work:
        await asyncio.gather(*(at_work.judge([of(name, crop(0.0))]) for name in "abcd"))
        assert at_work.counts.last_batch == 4
    assert fake.batches == [4]


async def test_each_track_has_its_own_past():
    """State is kept per track and participant, and ends when the track is forgotten."""
    fake = FakeDetector()
    async with engine(fake) as at_work:
        for index in range(3):
            await at_work.judge([crop(index / 5, 1)])
        await at_work.judge([of("q", crop(0.6, 1))])
        at_work.forget("c", "p", 1)
        await at_work.judge([crop(0.8, 1)])
    assert fake.steps_seen == [[0], [1], [2], [0], [0]]


async def test_a_participant_who_leaves_is_forgotten():
    """All tracks of the one who left, and of nobody else."""
    fake = FakeDetector()
    async with engine(fake) as at_work:
        await at_work.judge([crop(0.0, 1), crop(0.0, 2), of("q", crop(0.0, 1))])
        at_work.forget_participant("c", "p")
        assert at_work.counts.tracks == 1
        await at_work.judge([crop(0.2, 1), of("q", crop(0.2, 1))])
    assert sorted(fake.steps_seen[-1]) == [0, 1]


async def test_two_crops_of_one_track_are_two_steps_in_order():
    """A caller that hands in two looks at one face gets both, the second with the first one's state."""
    fake = FakeDetector()
    async with engine(fake) as at_work:
        words = network(await at_work.judge([crop(0.0, level=255), crop(0.2, level=255)]))
    assert fake.steps_seen == [[0], [1]]
    assert [word.llr_nats for word in words] == pytest.approx([0.5, 0.75])


async def test_memory_does_not_grow_with_time_or_tracks():
    """Thousands of steps and hundreds of tracks leave the state as large as it was."""
    async with engine(max_tracks=4, batch_deadline_ms=0.0) as at_work:
        before = at_work.counts.state_bytes
        for index in range(1500):
            await at_work.judge([crop(index / 5, index % 300)])
        counts = at_work.counts
    assert counts.state_bytes == before
    assert (counts.tracks, counts.batches, counts.waiting) == (4, 1500, 0)
    assert counts.restarted_tracks == 1500 - 4


async def test_more_tracks_than_slots_are_judged_in_several_batches():
    """A pool that is too small costs memory of the past, never an answer."""
    async with engine(max_tracks=2) as at_work:
        words = network(await at_work.judge([crop(0.0, track) for track in range(7)]))
        assert at_work.counts.restarted_tracks == 5
    assert [word.track for word in words] == list(range(7))


async def test_a_failing_step_ends_only_its_batch():
    """The callers of the failed batch get no evidence; state, other calls and later steps are untouched."""
    fake = FakeDetector(fail_at=frozenset({2}))
    async with engine(fake) as at_work:
        for index in range(2):
            await at_work.judge([crop(index / 5)])
        with capture_logs() as said:
            assert await at_work.judge([crop(0.4), of("new", crop(0.4))]) == ()
        assert not at_work.healthy
        assert at_work.counts.failures == 1
        assert len(await at_work.judge([crop(0.6), of("new", crop(0.6))])) > 0
        assert at_work.healthy
    assert [line["event"] for line in said] == ["batch_failed"]
    assert sorted(fake.steps_seen[-1]) == [0, 2]


async def test_a_track_in_a_reused_slot_starts_anew_even_after_a_failure():
    """What a failed first step leaves in the pool is not the new track's past."""
    fake = FakeDetector(fail_at=frozenset({3}))
    async with engine(fake, max_tracks=1) as at_work:
        for index in range(3):
            await at_work.judge([crop(index / 5, 1)])
        with capture_logs():
            await at_work.judge([crop(0.6, 2)])
        await at_work.judge([crop(0.8, 2)])
    assert fake.steps_seen[-1] == [0]


async def test_cancelling_one_caller_does_not_lose_anothers_result():
    """A call that ends in the middle of a step takes only its own evidence along."""
    async with engine(batch_deadline_ms=20.0) as at_work:
        leaving = asyncio.create_task(at_work.judge([of("a", crop(0.0))]))
        staying = asyncio.create_task(at_work.judge([of("b", crop(0.0))]))
        await asyncio.sleep(0.001)
        leaving.cancel()
        assert len(await staying) > 0
        assert leaving.cancelled()


async def test_a_crop_of_another_size_is_refused_before_it_can_harm_a_batch():
    """The error names both sizes and the setting; nothing reaches the network."""
    fake = FakeDetector(crop_px=16)
    async with engine(fake) as at_work:
        with pytest.raises(ModelError, match="16 px") as caught:
            await at_work.judge([crop(0.0, side=8)])
    assert caught.value.code == "model"
    assert fake.batches == []


async def test_identity_and_contract_are_told():
    """Alerts name the model by name and content hash; the other stages learn what crops it takes."""
    async with engine() as at_work:
        assert at_work.identity.name == "fake.bright"
        assert at_work.identity.sha256 == "0" * 64
        assert (at_work.crop_px, at_work.samples_per_s) == (8, 5.0)


@pytest.mark.parametrize("failure", [WeightsError("the SHA-256 is not that of the manifest")])
async def test_weights_that_must_not_be_used_stop_the_start(failure):
    """The error of `models` becomes a start error with its reason and what to do next."""

    def load(name: str, device: str) -> FakeDetector:
        raise failure

    with pytest.raises(ModelError, match="SHA-256 is not that of the manifest") as caught:
        async with Engine(LivenessSettings(), load=load):
            pass
    assert caught.value.exit_code == 3
    assert "lifesign models list" in caught.value.advice


async def test_torch_runs_with_the_threads_of_the_settings():
    """The worker thread takes as many cores as it was given, and the loop's thread none."""
    seen: list[int] = []

    class Noting(FakeDetector):
        def step(self, crops, state):
            seen.append(torch.get_num_threads())
            return super().step(crops, state)

    async with engine(Noting(), threads=1) as at_work:
        await at_work.judge([crop(0.0)])
    assert seen == [1]


def test_auto_takes_the_device_there_is():
    """CUDA when there is one, else the CPU."""
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "toaster"])
def test_a_device_that_is_not_there_stops_the_start(name):
    """The error says which setting to change."""
    with pytest.raises(StartError, match=r"liveness\.device"):
        resolve_device(name)


def shipped() -> Engine:
    """An engine with the weights that are shipped, on the CPU."""
    return Engine(LivenessSettings(device="cpu", max_tracks=8, batch_deadline_ms=20.0))


def face(at_work: Engine, media_s: float, track: int) -> FaceCrop:
    """A crop of the size the shipped detector takes, different for each track and time."""
    side = at_work.crop_px
    source = np.random.default_rng([track, round(media_s * 10)])
    return replace(crop(media_s, track), rgb=source.integers(0, 256, (side, side, 3), np.uint8))


async def test_the_shipped_network_judges_a_batch_as_it_judges_each_face():
    """With the real weights, evidence does not depend on who shares the batch."""
    async with shipped() as together, shipped() as apart:
        for index in range(4):
            shots = [face(together, index / 5, track) for track in (1, 2, 3)]
            batch = network(await together.judge(shots))
            single = [word for shot in shots for word in network(await apart.judge([shot]))]
            assert [word.llr_nats for word in batch] == pytest.approx([word.llr_nats for word in single], abs=1e-3)
            assert all(0.0 <= word.score <= 1.0 for word in batch)
        assert together.counts.batches == 4


async def test_a_model_that_does_not_exist_stops_the_start():
    """A wrong name in the configuration is told with the names there are."""
    with pytest.raises(ModelError, match="no model is named 'nonsense'"):
        async with Engine(LivenessSettings(model="nonsense", device="cpu")):
            pass


async def test_altered_weights_stop_the_start(tmp_path):
    """One changed byte in the weight file is found by its hash."""
    folder = tmp_path / "weights"
    shutil.copytree(registry.WEIGHTS, folder)
    file = folder / next(iter(registry.read_manifest(folder).values())).file
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match="SHA-256"):
        async with Engine(LivenessSettings(device="cpu"), load=partial(registry.load, folder=folder)):
            pass
