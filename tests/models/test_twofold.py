# SPDX-License-Identifier: Apache-2.0
"""Every crop is looked at with all of its detail and with half of it, and the two words are joined."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import registry, twofold
from models.detail import half_detail
from models.evaluation.joining import measured, rejoined
from models.evaluation.predictions import Prediction
from models.scales import UNMEASURED, Scales
from models.twofold import TwofoldDetector
from models.ways import farthest

LOGITS = st.floats(-30, 30)
MEASURED = Scales(0.5, 0.8, -0.5, 0.4)


@pytest.fixture(scope="module")
def judging() -> TwofoldDetector:
    """The model that ships, twofold."""
    return TwofoldDetector(registry.load(), MEASURED)


def film(detector: TwofoldDetector, looks: int, seed: int = 1) -> torch.Tensor:
    """Random crops."""
    side = detector.crop_px
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (looks, side, side, 3), dtype=torch.uint8, generator=random)


@given(fine=LOGITS, coarse=LOGITS, more=st.floats(0, 10))
def test_either_scale_may_speak_alone(fine: float, coarse: float, more: float) -> None:
    """The joined logit lies between the larger of the two parts and that less ln 2 / 2, and rises with detail."""
    (joined,) = UNMEASURED.logit([fine], [coarse], [100.0])
    larger = max(coarse, fine - coarse)
    assert larger - np.log(2.0) / 2 - 1e-9 <= joined <= larger + 1e-9
    assert UNMEASURED.logit([fine + more], [coarse], [100.0])[0] >= joined - 1e-9


def test_parts_are_read_in_spreads_of_bona_fide_people() -> None:
    """A person in the middle at both scales is at 0; three spreads of detail above it nearly at 3."""
    assert MEASURED.logit([0.0], [0.5], [100.0])[0] == pytest.approx(0.0)
    assert MEASURED.logit([1.2], [0.5], [100.0])[0] == pytest.approx(3.0 - np.log(2.0) / 2, abs=0.01)


def test_what_the_size_of_the_face_does_is_taken_off_each_scale() -> None:
    """A face of half the size is read like one of the reference size whose logits lie where its size put them."""
    scales = replace(MEASURED, coarse_slope=-0.2, detail_slope=-0.8)
    half_octave = 100.0 / np.sqrt(2.0)
    (near,), (far,) = scales.logit([1.0], [0.5], [100.0]), scales.logit([1.5], [0.6], [half_octave])
    assert near == pytest.approx(far)
    assert scales.logit([1.0], [0.5], [20.0])[0] == scales.logit([1.0], [0.5], [60.0])[0]


def test_half_of_the_detail_is_gone_and_the_rest_stays() -> None:
    """Flat crops stay as they are, a chequerboard of single pixels becomes grey, slow changes hardly change."""
    flat = torch.full((2, 16, 16, 3), 77, dtype=torch.uint8)
    assert torch.equal(half_detail(flat), flat)
    board = ((torch.arange(16)[:, None] + torch.arange(16)) % 2 * 200).to(torch.uint8)
    grey = half_detail(board[None, :, :, None].repeat(1, 1, 1, 3))
    assert (grey.int() - 100).abs().max() <= 1
    ramp = torch.arange(0, 160, 10, dtype=torch.uint8)[None, :, None].repeat(16, 1, 3)[None]
    assert (half_detail(ramp).int() - ramp.int())[:, :, 2:-2].abs().max() <= 2


def test_a_clip_at_once_is_judged_as_step_by_step(judging: TwofoldDetector) -> None:
    """Streaming equals offline at both scales and joined."""
    crops = film(judging, 5)
    whole, state = judging.judge_clip(crops), judging.new_state(1)
    for index in range(len(crops)):
        look, state = judging.step(crops[index : index + 1], state)
        for name in ("logit", "fine", "coarse"):
            torch.testing.assert_close(
                getattr(look, name)[0], getattr(whole, name)[index], atol=2e-3, rtol=1e-3, check_dtype=False
            )


def test_tracks_do_not_mix(judging: TwofoldDetector) -> None:
    """Each track is two of the network's, whatever the order of the batch; the state's size is constant."""
    crops, state = film(judging, 3), judging.new_state(3)
    _, state = judging.step(crops, state)
    again, after = judging.step(crops, state)
    order = torch.tensor([2, 0, 1])
    turned, _ = judging.step(crops[order], tuple(value[order] for value in state))
    torch.testing.assert_close(turned.logit, again.logit[order], atol=1e-3, rtol=1e-3)
    assert [value.shape for value in after] == [value.shape for value in judging.new_state(3)]


def test_the_map_is_that_of_the_look_at_full_detail(judging: TwofoldDetector) -> None:
    """One map a crop, the one that the network alone gives of it."""
    crops = film(judging, 3)
    looks, _ = judging.step(crops, judging.new_state(3))
    alone, _ = judging.detector.step(crops, judging.detector.new_state(3))
    found = judging.boundaries(looks)
    assert found.shape == (3, judging.crop_px // 8, judging.crop_px // 8)
    torch.testing.assert_close(found, judging.detector.boundaries(alone), atol=1e-3, rtol=1e-3)


def test_wrong_crops_are_refused(judging: TwofoldDetector) -> None:
    """Another size or type is an error before anything is computed."""
    for crops in (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), film(judging, 1).float()):
        with pytest.raises(ValueError, match="crops must be uint8"):
            judging.step(crops, judging.new_state(1))


def test_the_calibration_says_how_many_looks(tmp_path: object) -> None:
    """A model whose calibration joins two scales is judged twofold, any other as it is."""
    kinds = {name: isinstance(twofold.load(name), TwofoldDetector) for name in registry.names()}
    assert kinds == {name: registry.load(name).calibration.scales is not None for name in registry.names()}
    assert kinds[registry.names()[0]]


def person(number: int, coarse: float, fine: float, **fields: object) -> Prediction:
    """A film of one bona fide person."""
    values = {
        "path": f"val/real/{number}.mp4", "label": "real", "method": "", "identity": str(number), "repo": "r",
        "pair": "", "condition": "clean", "film": True, "logits": (fine,), "face_px": (100.0,), "sharpness": (10.0,),
        "fine": (fine,), "coarse": (coarse,),
    }  # fmt: skip
    return Prediction(**(values | fields))  # type: ignore[arg-type]


def test_scales_are_measured_over_people() -> None:
    """People count once in each condition, however many films there are of one; conditions weigh the same."""
    rng = np.random.default_rng(3)
    lows, gains = rng.normal(1.0, 0.5, 400), rng.normal(-2.0, 0.2, 400)
    people = [person(n, low, low + gain) for n, (low, gain) in enumerate(zip(lows, gains, strict=True))]
    crowd = [replace(people[0], path=f"val/real/again{n}.mp4") for n in range(300)]
    found = measured([*people, *crowd])
    assert found is not None
    assert (found.coarse_mean, found.coarse_spread) == pytest.approx((1.0, 0.5), abs=0.06)
    assert (found.detail_mean, found.detail_spread) == pytest.approx((-2.0, 0.2), abs=0.03)
    assert measured([replace(one, fine=(), coarse=()) for one in people]) is None
    assert measured(people[:3]) is None


def test_sizes_are_measured_within_films() -> None:
    """Films seen at two sizes give the slopes of both scales."""
    rng = np.random.default_rng(4)
    large = [person(n, low, low - 0.5) for n, low in enumerate(rng.normal(0.0, 1.0, 40))]
    small = [
        replace(one, condition="small", face_px=(70.71,), coarse=(one.coarse[0] + 0.1,), fine=(one.fine[0] + 0.5,))
        for one in large
    ]
    found = measured([*large, *small])
    assert found is None  # Nobody differs in detail here, so there is no spread to measure by.
    varied = [replace(one, fine=(one.fine[0] + gain,)) for one, gain in zip(large, rng.normal(0, 0.3, 40), strict=True)]
    moved = [replace(one, condition="small", face_px=(70.71,), coarse=(one.coarse[0] + 0.1,),
                     fine=(one.fine[0] + 0.5,)) for one in varied]  # fmt: skip
    found = measured([*varied, *moved])
    assert found is not None
    assert (found.coarse_slope, found.detail_slope) == pytest.approx((-0.2, -0.8), abs=0.01)


def test_predictions_are_joined_anew() -> None:
    """Logits follow the measured scales; a film that was looked at once stays as it is."""
    twice, once = person(1, 0.5, 1.2), replace(person(2, 0.0, 3.0), fine=(), coarse=())
    first, second = rejoined([twice, once], MEASURED)
    assert first.logits[0] == pytest.approx(float(MEASURED.logit([1.2], [0.5], [100.0])[0]), abs=1e-4)
    assert second.logits == once.logits
    assert rejoined([twice], None) == [twice]


def test_half_detail_is_the_same_wherever_it_is_made() -> None:
    """What a CPU makes in its own way is what torch makes, but for one value in 100,000 that may round otherwise."""
    noise = torch.randint(0, 256, (8, 128, 128, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    planes = noise.permute(0, 3, 1, 2).float()
    small = torch.nn.functional.avg_pool2d(planes, 2)
    large = torch.nn.functional.interpolate(small, (128, 128), mode="bicubic", align_corners=False)
    known = large.round().clamp(0, 255).permute(0, 2, 3, 1)
    off = (half_detail(noise).float() - known).abs()
    assert off.max() <= 1
    assert (off > 0).float().mean() < 1e-5


@given(fine=LOGITS, coarse=LOGITS)
def test_both_ways_to_join_two_looks_agree(fine: float, coarse: float) -> None:
    """The one on the device is for faces of the reference size."""
    found = MEASURED.joined(torch.tensor([fine]), torch.tensor([coarse]))
    assert float(found) == pytest.approx(MEASURED.logit([fine], [coarse], [100.0])[0], abs=1e-4, rel=1e-5)


@pytest.mark.parametrize(("kind", "most"), [(torch.float16, 0.02), (torch.bfloat16, 0.2)])
def test_half_precision_judges_nearly_alike(kind: torch.dtype, most: float) -> None:
    """Convolutions may round; what is added up and kept over time is float32, so that no error grows with it."""
    whole, half = twofold.load(accelerated=False), twofold.load(accelerated=False, kind=kind)
    assert all(tensor.dtype == torch.float32 for tensor in half.new_state(1))
    random = torch.Generator().manual_seed(4)
    blocks = torch.rand(8, 3, 7, 7, generator=random)
    soft = torch.nn.functional.interpolate(blocks, size=(128, 128), mode="bilinear").permute(0, 2, 3, 1)
    crops = (255 * (0.9 * soft + 0.1 * torch.rand(soft.shape, generator=random))).to(torch.uint8)
    assert 0.0 < farthest(half, whole, crops.view(4, 2, 128, 128, 3)) < most
