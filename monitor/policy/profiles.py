# SPDX-License-Identifier: Apache-2.0
"""A profile's name in, its frozen operating point out; every number with its reason."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from monitor.config import Profile

__all__ = ["PROFILES", "STEP_S", "OperatingPoint"]

STEP_S: Final = 1.0
"""Spacing of independent observations: neighbouring looks at one face share pose, light and key frame."""

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Everything the sequential test needs to know of a profile; times in media seconds.

    `false_alert_s` is the least mean time between false alerts of one bona fide participant.
    `false_clear_s` is the least mean time until an attack of the calibrated kinds is called clear.
    `least_faces` faces share the budget even while fewer are seen.
    `decision_s` after the first look the outcome is settled; None never settles.
    """

    false_alert_s: float
    false_clear_s: float
    least_faces: int = 1
    decision_s: float | None = None
    # A security officer needs to see an alert before it goes; shorter ones read as flicker.
    hold_s: float = 5.0
    # As long as in the operating metric (one alert per minute is one false alert); clear ends it early.
    refractory_s: float = 60.0
    # Longer than a turned head or a sip of water (median under 3 s), shorter than it takes to change seats.
    stale_s: float = 5.0
    # An open alert is news again only when it has changed, and a person reads no faster than this.
    update_s: float = 10.0
    # Clear is a statement about a face seen for a while, whatever a single cue claims in its first seconds.
    least_judged_s: float = 5.0

    def raise_nats(self, faces: int) -> float:
        """Threshold h_on for `faces` faces at once: ln(T / step), the budget T split over the faces.

        Lorden 1971: a CUSUM of log-likelihood ratios runs at least e^h steps on average to a false alarm.
        """
        return math.log(self.false_alert_s * max(faces, self.least_faces, 1) / STEP_S)

    def lower_nats(self, faces: int) -> float:
        """Threshold h_off under which an alert may clear, and above which a face is suspect."""
        return 0.5 * self.raise_nats(faces)

    @property
    def clear_nats(self) -> float:
        """Bona fide evidence needed to say clear: the same bound with the roles exchanged."""
        return math.log(self.false_clear_s / STEP_S)


PROFILES: Final[Mapping[Profile, OperatingPoint]] = MappingProxyType(
    {
        # One false alert per 100 participant-hours: about one in two working weeks of calls.
        Profile.ENTERPRISE: OperatingPoint(false_alert_s=100 * HOUR_S, false_clear_s=600.0),
        # P(false alert within n steps) <= n e^-h, so one bona fide session in 1,000 needs T = 30 s / 0.001;
        # one attack in 100 called clear within the session needs 30 s / 0.01.
        Profile.KYC: OperatingPoint(
            false_alert_s=30.0 / 0.001, false_clear_s=30.0 / 0.01, decision_s=30.0, stale_s=3.0
        ),
        # As enterprise for the whole feed; a panel of four shares it. Cuts end what was known of a face sooner.
        Profile.BROADCAST: OperatingPoint(false_alert_s=100 * HOUR_S, false_clear_s=600.0, least_faces=4, stale_s=3.0),
    }
)
