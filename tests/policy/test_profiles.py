# SPDX-License-Identifier: Apache-2.0
"""Operating points."""

import math

import pytest

from monitor.config import Profile
from monitor.policy.profiles import PROFILES


def test_every_profile_of_the_configuration_has_an_operating_point():
    """A profile that can be configured can be run."""
    assert set(PROFILES) == set(Profile)


def test_enterprise_threshold_is_its_budget():
    """One false alert per 100 participant-hours at one observation a second: ln 360,000."""
    assert PROFILES[Profile.ENTERPRISE].raise_nats(1) == pytest.approx(math.log(360_000))


def test_kyc_threshold_bounds_a_session():
    """At most one bona fide session in 1,000 is alerted within 30 steps: n e^-h."""
    assert 30 * math.exp(-PROFILES[Profile.KYC].raise_nats(1)) == pytest.approx(0.001)


@pytest.mark.parametrize("profile", list(Profile))
def test_faces_share_the_budget(profile):
    """Eight faces at once cost ln 8 more than one, so that the feed's budget stays what it was."""
    point = PROFILES[profile]
    assert point.raise_nats(8) == pytest.approx(math.log(8 * point.false_alert_s))
    assert point.raise_nats(0) == point.raise_nats(point.least_faces)
    assert point.lower_nats(8) == pytest.approx(0.5 * point.raise_nats(8))


@pytest.mark.parametrize("profile", list(Profile))
def test_an_alert_needs_several_full_steps(profile):
    """No profile can be pushed into an alert by three seconds, whatever a cue claims."""
    assert PROFILES[profile].raise_nats(1) > 3 * 3.0
