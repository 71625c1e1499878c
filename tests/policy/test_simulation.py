# SPDX-License-Identifier: Apache-2.0
"""Simulated calls: the promised budget of false alerts holds, and delays are those of the theory."""

import math
import statistics
from dataclasses import replace

import pytest

from monitor.config import Profile
from monitor.policy.cusum import CLIP_BIAS_NATS, CLIP_NATS, Cusum, clip
from monitor.policy.participant import ParticipantPolicy
from monitor.policy.profiles import PROFILES
from monitor.values import AlertChange
from tests.fakes.timeline import counter, evidence, gaussian_llr, look

BUDGET_S = 300.0


def run_to_alarm(llr, threshold_nats: float, most: int = 10**6) -> int:
    """Steps until the CUSUM first reaches its threshold."""
    cusum = Cusum()
    for step in range(1, most):
        if cusum.step({"cue": clip(llr()) - CLIP_BIAS_NATS}, threshold_nats + CLIP_NATS) >= threshold_nats:
            return step
    return most


@pytest.mark.parametrize("separation", [0.7, 1.3, 2.3, 3.5])
def test_bona_fide_runs_last_as_long_as_the_budget_says(separation):
    """Lorden's bound, with clipping: the mean run to a false alarm is at least e^h steps."""
    llr = gaussian_llr(separation, forged=False, seed=20)
    runs = [run_to_alarm(llr, math.log(BUDGET_S), most=20_000) for _ in range(60)]
    # Runs are close to exponential: the mean of 60 lies above (1 - 2 / sqrt(60)) of its expectation.
    assert statistics.mean(runs) >= BUDGET_S * (1 - 2 / math.sqrt(60))


@pytest.mark.parametrize(("separation", "factor"), [(0.95, 1.35), (1.35, 1.35), (1.81, 1.6)])
def test_forgeries_are_found_after_about_threshold_over_divergence(separation, factor):
    """Delay is close to h / KL (frame AUC .75, .83 and .90), a little more for overshoot and clipping."""
    kl_nats, threshold_nats = separation**2 / 2, PROFILES[Profile.ENTERPRISE].raise_nats(1)
    llr = gaussian_llr(separation, forged=True, seed=21)
    delay = statistics.mean(run_to_alarm(llr, threshold_nats) for _ in range(400))
    assert 0.9 * threshold_nats / kl_nats <= delay <= factor * threshold_nats / kl_nats + 1.0


def policy(false_alert_s: float) -> ParticipantPolicy:
    """A participant under the enterprise profile with a smaller budget, so that alarms are seen at all."""
    point = replace(PROFILES[Profile.ENTERPRISE], false_alert_s=false_alert_s, refractory_s=1e-9, hold_s=0.0)
    return ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter(), {Profile.ENTERPRISE: point})


def test_correlated_frames_keep_the_budget():
    """Five looks a second that all say the same (shared light, pose, key frame) raise no more false alerts.

    Summing them would: that is why they are averaged.
    """
    watched, llr, seconds = policy(60.0), gaussian_llr(1.5, forged=False, seed=22), 3000
    alerts = 0
    for second in range(seconds):
        shared = llr()
        for index in range(5):
            media_s = second + index / 5
            decision = watched.step(media_s, look(media_s, 1), [evidence(media_s, shared)])
            alerts += sum(alert.change is AlertChange.RAISED for alert in decision.alerts)
    expected = seconds / 60.0
    assert alerts <= expected + 2 * math.sqrt(expected)


def test_summing_correlated_frames_would_break_the_budget():
    """The bound is no accident of the test: five copies of each observation, summed, alarm far too often."""
    llr = gaussian_llr(1.5, forged=False, seed=22)

    def five_copies() -> float:
        return 5 * clip(llr())

    runs = [run_to_alarm(five_copies, math.log(BUDGET_S), most=20_000) for _ in range(60)]
    assert statistics.mean(runs) < BUDGET_S / 5


def test_many_faces_share_the_budget():
    """Four bona fide faces at once raise no more false alerts per feed than one may."""
    watched = policy(60.0)
    llrs = [gaussian_llr(1.5, forged=False, seed=30 + track) for track in range(4)]
    alerts, seconds = 0, 2000
    for second in range(seconds):
        words = [evidence(second, llr(), track) for track, llr in enumerate(llrs)]
        decision = watched.step(float(second), look(float(second), 0, 1, 2, 3), words)
        alerts += sum(alert.change is AlertChange.RAISED for alert in decision.alerts)
    expected = seconds / 60.0
    assert alerts <= expected + 2 * math.sqrt(expected)


def test_kyc_sessions_keep_their_share_of_false_alerts():
    """At a reduced threshold, the share of bona fide sessions alerted stays under n e^-h."""
    share = 0.05
    point = replace(PROFILES[Profile.KYC], false_alert_s=30.0 / share)
    alerted, sessions = 0, 300
    for session in range(sessions):
        watched = ParticipantPolicy("c", "p", Profile.KYC, counter(), {Profile.KYC: point})
        llr = gaussian_llr(1.2, forged=False, seed=1000 + session)
        decisions = [watched.step(float(s), look(float(s), 1), [evidence(float(s), llr())]) for s in range(31)]
        alerted += any(decision.alerts for decision in decisions)
    assert alerted <= share * sessions + 2 * math.sqrt(share * sessions)


def test_a_face_with_a_biased_score_is_not_covered_by_the_bound():
    """What the threshold cannot promise: a bona fide person the detector always half doubts will be alerted."""
    assert run_to_alarm(lambda: 0.3, PROFILES[Profile.ENTERPRISE].raise_nats(1)) < 60
