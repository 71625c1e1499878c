# SPDX-License-Identifier: Apache-2.0
"""What tells of overload, each as a share of what it may be."""

import pytest

from monitor.load.signs import AGE_S, DROPPED, LAG_S, Sample, Sign, signs
from monitor.load.threads import Work

BEFORE = Sample(100.0, {Work.LOOP: 5.0, Work.FACES: 7.0}, looks=50, aged_s=9.0, picked=60, dropped=2)


def now(**counts: float) -> Sample:
    """A sample two seconds later, in which nothing else happened."""
    same = {"spent_s": BEFORE.spent_s, "looks": 50, "aged_s": 9.0, "picked": 60, "dropped": 2}
    return Sample(102.0, **{**same, **counts})


def test_a_quiet_service_shows_nothing() -> None:
    """No looks, no picks: no division by them either."""
    assert signs(BEFORE, now(), 2.0, 0.8) == dict.fromkeys(Sign, 0.0)


@pytest.mark.parametrize(
    ("counts", "sign", "expected"),
    [
        ({"spent_s": {Work.LOOP: 5.0, Work.FACES: 8.6}}, Sign.PROCESSOR, 1.6 / (2.0 * 2.0 * 0.8)),
        ({"spent_s": {Work.LOOP: 6.6, Work.FACES: 7.0}}, Sign.LOOP, 1.6 / (2.0 * 0.8)),
        ({"lag_s": 0.2}, Sign.LAG, 0.2 / LAG_S),
        ({"looks": 60, "aged_s": 14.0}, Sign.AGE, 0.5 / AGE_S),
        ({"picked": 70, "dropped": 5}, Sign.DROPPED, 0.3 / DROPPED),
    ],
)
def test_each_sign_is_a_share_of_its_limit(counts: dict[str, float], sign: Sign, expected: float) -> None:
    """Of what happened between the two samples alone."""
    assert signs(BEFORE, now(**counts), 2.0, 0.8)[sign] == pytest.approx(expected)
