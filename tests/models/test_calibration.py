# SPDX-License-Identifier: Apache-2.0
"""A logit reads as evidence and as a score whose meaning does not change."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import registry
from models.calibration import LLR_LIMIT_NATS, Calibration
from models.errors import WeightsError
from models.evaluation.fit import fit, per_second, spread
from models.evaluation.operating import ALERT_NATS, calibration_gap, drift, error_table, mean_score
from models.evaluation.predictions import Prediction

PLAIN = Calibration((-2.0, 0.0, 3.0, 6.0), (0.05, 1.0, 3.0, 5.0), llr_slope=0.5, llr_origin=1.0)
LOGITS = st.floats(-50, 50)


def predicted(logits: list[float], identity: str = "a", label: str = "real", **fields: object) -> Prediction:
    """A film judged so."""
    values = {
        "path": f"val/{label}/{identity}.mp4", "label": label, "method": "", "identity": identity, "repo": "r",
        "pair": "", "condition": "clean", "film": True, "logits": tuple(logits), "face_px": (100.0,) * len(logits),
        "sharpness": (10.0,) * len(logits),
    }  # fmt: skip
    return Prediction(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture(params=["plain", *registry.names()])
def calibration(request: pytest.FixtureRequest) -> Calibration:
    """A calibration by hand, and that of every registered model."""
    return PLAIN if request.param == "plain" else registry.load(request.param).calibration


def test_score_has_its_meaning() -> None:
    """One bona fide observation in a thousand scores above .5, one in 10^4 above .7, one in 10^5 above .85."""
    assert PLAIN.score(3.0) == pytest.approx(0.5)
    assert PLAIN.score(4.5) == pytest.approx(0.7)
    assert PLAIN.score(6.0) == pytest.approx(0.85)
    assert PLAIN.score(60.0) <= 1.0


def test_score_never_falls_and_rises_where_it_matters(calibration: Calibration) -> None:
    """Strictly increasing over the logits that occur, so that no ranking is lost; always in 0..1."""
    scores = [calibration.score(float(logit)) for logit in np.linspace(-15, 25, 400)]
    assert all(a < b for a, b in itertools.pairwise(scores[:300]))
    assert all(a <= b for a, b in itertools.pairwise(scores))
    assert min(scores) >= 0.0
    assert max(scores) <= 1.0


@given(low=LOGITS, high=LOGITS, face_px=st.floats(1, 2000), sharpness=st.floats(0, 200))
def test_evidence_rises_with_the_logit_and_is_limited(
    low: float, high: float, face_px: float, sharpness: float
) -> None:
    """More nats for a higher logit at any size and sharpness, never beyond the limit."""
    low, high = sorted((low, high))
    first, second = (PLAIN.llr_nats(logit, face_px, sharpness) for logit in (low, high))
    assert -LLR_LIMIT_NATS <= first <= second <= LLR_LIMIT_NATS


def test_no_evidence_at_the_origin() -> None:
    """There bona fide and forged are equally likely; half a nat a logit from there."""
    assert PLAIN.llr_nats(1.0, 100, 10) == 0.0
    assert PLAIN.llr_nats(3.0, 100, 10) == pytest.approx(1.0)


def test_expected_differences_of_quality_are_taken_off() -> None:
    """A logit that is high only because the face is sharp says nothing."""
    sharp = Calibration((0.0, 1.0), (1.0, 2.0), 1.0, 0.0, face_px=100, sharpness=10, sharpness_slope=0.5)
    assert sharp.llr_nats(0.5, 100, 20) == pytest.approx(0.0)
    assert sharp.llr_nats(0.5, 100, 10) == pytest.approx(0.5)


def test_forgeries_that_cannot_be_seen_limit_what_a_low_logit_says() -> None:
    """When half of the forgeries look bona fide, looking bona fide is worth at most ln 2."""
    calibration = fit(_people(150, 1), [*_people(50, 2, shift=6.0), *_people(50, 3, shift=-1.0)]).calibration
    assert calibration.llr_floor == pytest.approx(np.log(0.5), abs=0.1)
    assert calibration.llr_nats(-30.0, 100, 10) == calibration.llr_floor


@pytest.mark.parametrize(
    "broken",
    [
        ((0.0, 0.0), (1.0, 2.0), 1.0, 0.0),
        ((0.0, 1.0), (2.0, 1.0), 1.0, 0.0),
        ((0.0, 1.0), (0.0, 1.0), 1.0, 0.0),
        ((0.0, 1.0), (1.0, 2.0), -1.0, 0.0),
        ((0.0,), (1.0,), 1.0, 0.0),
        ((0.0, 1.0), (1.0, 2.0), 1.0, 0.0, 0.5),
        ((0.0, float("nan")), (1.0, 2.0), 1.0, 0.0),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(broken: tuple) -> None:
    """Not rising, not positive, not finite, or too short."""
    with pytest.raises(WeightsError):
        Calibration(*broken)


def test_it_survives_json() -> None:
    """What is written is read again; anything else is refused."""
    assert Calibration.from_json(PLAIN.to_json()) == PLAIN
    for text in ("", "[]", "{}", '{"logits": [1, 2], "levels": "x"}', PLAIN.to_json().replace("llr_slope", "slope")):
        with pytest.raises(WeightsError):
            Calibration.from_json(text)


def _people(count: int, seed: int, shift: float = 0.0) -> list[Prediction]:
    """People whose means differ by 1 and whose frames differ by .5."""
    rng = np.random.default_rng(seed)
    means = rng.normal(shift, 1.0, count)
    return [predicted(list(rng.normal(mean, 0.5, 60)), f"person:{n}") for n, mean in enumerate(means)]


def test_people_count_not_frames() -> None:
    """The spread between people is found, whatever the frames; one person's hundred clips change little."""
    found = spread(_people(300, 1))
    assert found.between == pytest.approx(1.0, rel=0.15)
    assert found.worst_person == pytest.approx(2.4, abs=0.5)
    crowd = [*_people(300, 1), *(predicted([9.0] * 10, "person:0", path=str(n)) for n in range(100))]
    assert spread(crowd).mean == pytest.approx(found.mean, abs=0.05)


def test_what_a_smaller_face_does_is_taken_off() -> None:
    """The shift is measured within films: one seen at half the size lies 1.2 higher, however people differ."""
    large = _people(60, 1)
    small = [
        replace(one, condition="small", face_px=(70.0,) * len(one.logits), logits=tuple(x + 0.62 for x in one.logits))
        for one in large
    ]
    found = fit([*large, *small], _people(30, 2, shift=5.0))
    assert found.face_slope.value == pytest.approx(-1.2, abs=0.02)
    assert found.calibration.face_slope == pytest.approx(found.face_slope.value, abs=1e-4)
    assert found.spread.worst_person == pytest.approx(spread(large).worst_person, abs=0.05)
    assert found.calibration.llr_nats(4.62, 70, 10) == pytest.approx(found.calibration.llr_nats(4.0, 100, 10), abs=0.1)


def test_a_shift_that_chance_may_have_made_is_not_taken_off() -> None:
    """Without films at two sizes, or with a slope that may be 0, sizes change nothing."""
    rng = np.random.default_rng(5)
    large = _people(20, 1)
    noisy = [
        replace(one, condition="small", face_px=(70.0,) * 60, logits=tuple(np.array(one.logits) + rng.normal(0, 1)))
        for one in large
    ]
    forged = _people(30, 2, shift=5.0)
    assert fit(large, forged).calibration.face_slope == 0.0
    assert fit([*large, *noisy], forged).calibration.face_slope == 0.0


def test_bona_fide_people_gather_no_evidence() -> None:
    """Of people never seen in calibration, at most a few in a hundred drift upwards; forgeries do."""
    found = fit(_people(150, 1), _people(60, 2, shift=5.0))
    fresh = _people(400, 3)
    growing = sum(drift(one, found.calibration).mean_nats > 0 for one in fresh)
    assert growing <= 8
    caught = sum(drift(one, found.calibration).mean_nats > 0 for one in _people(100, 4, shift=5.0))
    assert caught >= 90


def test_the_score_keeps_its_promise_on_other_people() -> None:
    """About one bona fide observation in a thousand scores above .5: not more than three times that."""
    calibration = fit(_people(200, 1), _people(50, 2, shift=5.0)).calibration
    looks = [logit for one in _people(1000, 5) for logit in one.logits]
    above = np.mean([calibration.score(logit) > 0.5 for logit in looks])
    assert above <= 3e-3


def test_seconds_are_means_of_five_looks() -> None:
    """Twelve looks are three seconds, the last one short."""
    assert per_second([1.0] * 5 + [3.0] * 5 + [7.0, 9.0]).tolist() == [1.0, 3.0, 8.0]


def test_drift_is_a_one_sided_sum() -> None:
    """Evidence against a forgery is forgotten at zero; five clear seconds reach the enterprise threshold."""
    strong = drift(predicted([-9.0] * 25 + [20.0] * 25), PLAIN)
    assert strong.mean_nats == pytest.approx(0.0)
    assert strong.most_nats == pytest.approx(15.0)
    assert strong.most_nats > ALERT_NATS


def test_error_table_counts_by_label() -> None:
    """Bona fide first, then each kind of attack."""
    films = [predicted([-5.0] * 10, "a"), predicted([9.0] * 10, "b", "swap"), predicted([-5.0] * 10, "c", "swap")]
    lines = error_table(films, PLAIN).splitlines()
    assert "| clean | real | 1 / 1 | 0.00 [" in lines[2]
    assert "| clean | swap | 2 / 2 | 0.50 [" in lines[3]
    assert mean_score(films[1], PLAIN) > 0.8


def test_calibration_gap_is_large_for_false_confidence() -> None:
    """Evidence that points the wrong way shows."""
    right = [predicted([-9.0], str(n)) for n in range(20)] + [predicted([20.0], str(n), "swap") for n in range(20)]
    wrong = [predicted([20.0], str(n)) for n in range(20)] + [predicted([-9.0], str(n), "swap") for n in range(20)]
    assert calibration_gap(right, PLAIN) < 0.1
    assert calibration_gap(wrong, PLAIN) > 0.8
