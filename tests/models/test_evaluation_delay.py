# SPDX-License-Identifier: Apache-2.0
"""Delays are those of the running policy, with misses censored; false alerts are counted by the hour."""

import math

import numpy as np
import pytest

from models.calibration import Calibration
from models.errors import DataError
from models.evaluation.alerts import delay_table, false_alert_table, play
from models.evaluation.delay import delays, detected_curve, false_alerts, quantile_s
from models.evaluation.watch import PROFILES, Watched, watch
from monitor.config import Profile
from monitor.policy.profiles import PROFILES as POINTS
from tests.fakes.predictions import predicted

PLAIN = Calibration((-2.0, 0.0, 3.0, 6.0), (0.05, 1.0, 3.0, 5.0), llr_slope=1.0, llr_origin=1.0)


def watched(alert_s: float | None, watched_s: float, identity: str) -> Watched:
    """A clip of a person."""
    return Watched(predicted(identity, 0.0, label="swap"), alert_s, watched_s, int(alert_s is not None))


def test_kaplan_meier_by_hand() -> None:
    """Events at 1 and 3, one clip ends at 2 unseen: 1/4, then 1 - 3/4 * 1/2 alerted (Kaplan and Meier 1958)."""
    times_s, alerted = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False])
    events, shares = detected_curve(times_s, alerted, np.ones(4))
    assert events.tolist() == [1.0, 3.0]
    assert shares.tolist() == pytest.approx([0.25, 0.625])
    assert quantile_s(events, shares, 0.5) == 3.0
    assert quantile_s(events, shares, 0.9) == math.inf


def test_censoring_is_no_miss() -> None:
    """Clips that end before anything could be said do not lengthen the delay, as counting them missed would."""
    seen = [watched(4.0, 10.0, f"a{n}") for n in range(5)]
    short = [watched(None, 2.0, f"b{n}") for n in range(10)]
    found = delays([*seen, *short])
    assert found.median_s.value == 4.0
    assert found.p90_s == 4.0
    assert found.alerted.value == pytest.approx(1 / 3)


def test_nobody_alerted_has_no_delay() -> None:
    """Infinite, not the length of the clip; and people weigh the same."""
    never = delays([watched(None, 5.0, "a"), watched(None, 9.0, "b")])
    assert never.median_s.value == math.inf
    mostly = delays([watched(1.0, 9.0, "a")] * 9 + [watched(None, 9.0, "b")])
    assert mostly.alerted.value == pytest.approx(0.5)


def test_delays_of_nothing_are_refused() -> None:
    """No clip, and a time that is no number."""
    with pytest.raises(DataError):
        delays([])
    with pytest.raises(DataError):
        detected_curve(np.array([math.nan]), np.array([True]), np.ones(1))
    with pytest.raises(DataError):
        false_alerts([])


def test_the_policy_raises_when_its_threshold_is_crossed() -> None:
    """At 2 nats a second less the price of clipping, the enterprise threshold takes as many seconds as it must."""
    one = predicted("fake", *[3.0] * 100, label="swap")
    found = watch(one, PLAIN, "enterprise")
    needed_s = POINTS[Profile.ENTERPRISE].raise_nats(1) / (2.0 - math.log1p(math.exp(-3.0)))
    assert found.alert_s is not None
    assert needed_s <= found.alert_s <= needed_s + 1.5
    assert found.alerts == 1


def test_little_trust_in_the_picture_slows_the_alert() -> None:
    """The quality gate's weight counts as in a call."""
    sure = watch(predicted("a", *[3.0] * 200, label="swap"), PLAIN, "enterprise").alert_s
    unsure = watch(predicted("b", *[3.0] * 200, label="swap", weight=(0.5,) * 200), PLAIN, "enterprise").alert_s
    assert sure is not None
    assert unsure is not None
    assert unsure > 1.5 * sure


def test_short_clips_alert_only_when_repeated() -> None:
    """Three seconds are too few for the threshold; the same three again and again are not."""
    one = predicted("fake", *[3.0] * 15, label="swap")
    assert watch(one, PLAIN, "enterprise").alert_s is None
    again = watch(one, PLAIN, "enterprise", least_s=60.0)
    assert again.alert_s is not None
    assert again.watched_s == pytest.approx(60.0)


@pytest.mark.parametrize("profile", PROFILES)
def test_bona_fide_faces_raise_nothing(profile: str) -> None:
    """Evidence for a bona fide face never adds up to an alert; nor does a word now and then."""
    quiet = watch(predicted("real", *[-1.0] * 50), PLAIN, profile, least_s=60.0)
    assert (quiet.alert_s, quiet.alerts, quiet.watched_s) == (None, 0, 60.0)
    seldom = watch(predicted("real", *([1.2] + [-2.0] * 9) * 5), PLAIN, profile, least_s=60.0)
    assert seldom.alerts == 0


def test_false_alerts_are_counted_by_the_hour() -> None:
    """One alert in half an hour is two an hour, with the interval of a single event."""
    half_hour = [watched(None, 890.0, "a"), watched(5.0, 910.0, "b")]
    found = false_alerts(half_hour)
    assert found.hours == pytest.approx(0.5)
    assert found.hourly.value == pytest.approx(2.0)
    assert found.hourly.low == pytest.approx(2 * 0.0253, abs=1e-3)
    assert found.alerted.value == 0.5


def test_profiles_that_come_to_the_same_share_a_row() -> None:
    """One row says it for all; the bona fide table counts who did not calibrate and all."""
    films = [predicted(f"real{n}", *[-1.0] * 10) for n in range(6)]
    films += [predicted(f"fake{n}", *[3.0] * 10, label="swap", method="SimSwap") for n in range(6)]
    played = play(films, PLAIN)
    assert {(one.condition, one.profile) for one in played} == {("clean", profile) for profile in PROFILES}
    quiet = false_alert_table(played)
    assert "enterprise, kyc, broadcast" in quiet
    assert "| all | 6 / 6 | 0.00" in quiet
    assert "swap, network" in delay_table(played)
