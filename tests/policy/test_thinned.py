# SPDX-License-Identifier: Apache-2.0
"""Two looks a second instead of ten: what is said rests on as many independent observations, or is not said."""

import pytest

from monitor.config import Profile
from monitor.policy.participant import ParticipantPolicy
from monitor.values import State
from tests.fakes.timeline import counter, gaussian_llr, play

SECONDS = 60.0


def policy() -> ParticipantPolicy:
    """A participant who has just joined."""
    return ParticipantPolicy("c", "p", Profile.ENTERPRISE, counter())


def first_s(state: State, llr_nats: float, per_s: float) -> float:
    """Media time at which a state is first reached."""
    decisions = play(policy(), 0.0, SECONDS, llr_nats, per_s=per_s)
    return next(decision.verdict.media_s for decision in decisions if decision.verdict.state is state)


@pytest.mark.parametrize("per_s", [10.0, 7.5, 5.0, 3.75, 2.5, 2.0])
def test_a_second_is_one_observation_however_often_it_was_looked_at(per_s: float) -> None:
    """Never more seconds judged than went by."""
    decisions = play(policy(), 0.0, SECONDS, -1.5, per_s=per_s)
    judged_s = decisions[-1].verdict.tracks[0].judged_s
    assert SECONDS / 1.25 - 1.0 <= judged_s <= SECONDS


@pytest.mark.parametrize("per_s", [0.4, 0.7, 1.5])
def test_a_look_is_never_more_than_one_second_of_evidence(per_s: float) -> None:
    """Where looks are dropped on top of that, the seconds between them count for nothing."""
    decisions = play(policy(), 0.0, SECONDS, -1.5, per_s=per_s)
    assert decisions[-1].verdict.tracks[0].judged_s <= min(SECONDS, len(decisions))


@pytest.mark.parametrize("per_s", [7.5, 3.75, 2.5, 2.0])
@pytest.mark.parametrize(("state", "nats"), [(State.CLEAR, -1.5), (State.ALERT, 1.5)])
def test_nothing_is_said_sooner_for_having_looked_less(state: State, nats: float, per_s: float) -> None:
    """The same evidence a look, fewer looks: clear and alert come no sooner, and not much later."""
    usual_s, thinned_s = first_s(state, nats, 10.0), first_s(state, nats, per_s)
    assert usual_s - 1e-6 <= thinned_s <= 1.35 * usual_s


def test_thinned_looks_at_bona_fide_people_raise_no_alert() -> None:
    """Single looks scatter more than the mean of ten, which the bound of the test allows for."""
    for seed in range(8):
        decisions = play(policy(), 0.0, 240.0, gaussian_llr(1.0, forged=False, seed=seed), per_s=2.0)
        assert not [alert for decision in decisions for alert in decision.alerts]
