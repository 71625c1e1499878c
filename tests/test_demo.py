# SPDX-License-Identifier: Apache-2.0
"""The demo tells the truth about what came over MQTT."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config import HttpSettings, MqttSettings, Profile, Settings
from monitor.demo import FORGED, GENUINE, STUCK, Outcome, isolated
from monitor.publish.builder import EventBuilder
from monitor.publish.identity import Identity
from monitor.values import Alert, AlertChange, State, TrackVerdict, Verdict
from tests.fakes.media import sample

EVENTS = EventBuilder(Identity("node", "0", "0" * 64), lambda: "id", lambda: datetime(2026, 1, 1, tzinfo=UTC))
FACE = TrackVerdict(1, State.CLEAR, 0.2, 0.0, judged_s=9.0)
ALERT = Alert("a", AlertChange.RAISED, "demo", FORGED, 1, 6.0, 6.0, 0.9, {}, ("It looks swapped.",), {})


def told(*alerted: str, judged: tuple[str, ...] = (GENUINE, FORGED)) -> Outcome:
    """An outcome after a verdict of each judged participant and an alert for each one named."""
    outcome = Outcome()
    for who in judged:
        outcome.take(EVENTS.verdict(Verdict("demo", who, 9.0, State.CLEAR, 0.2, 5.0, (), (FACE,))))
    for who in alerted:
        outcome.take(EVENTS.alert(replace(ALERT, participant=who)))
    return outcome


def test_only_an_alert_for_the_forged_one_alone_is_right() -> None:
    """Every other combination is a failure, and says so."""
    assert told(FORGED).right
    assert not told().right
    assert not told(GENUINE).right
    assert not told(GENUINE, FORGED).right
    assert not told(STUCK).right


def test_a_participant_who_was_never_judged_is_no_success() -> None:
    """No alert about somebody who was not looked at proves nothing."""
    assert not told(FORGED, judged=(FORGED,)).right


def test_a_cleared_alert_counts_as_raised_before() -> None:
    """Only raising counts; the time of the first alert is kept."""
    outcome = told(FORGED)
    outcome.take(EVENTS.alert(replace(ALERT, change=AlertChange.CLEARED, media_s=12.0)))
    assert outcome.alerted == {FORGED: 6.0}


def test_the_words_say_who_was_alerted_and_what_failed() -> None:
    """People read the outcome of each caller."""
    assert "alert over MQTT after 6.0 s" in told(FORGED).words()
    assert "FAIL forged: no alert" in told().words()
    assert "FAIL genuine: alert" in told(GENUINE, FORGED).words()
    assert "ok   stuck: alert" in told(STUCK).words()


def test_the_demo_touches_no_service_of_the_user(tmp_path: Path) -> None:
    """Ports, broker, token and state folder are the demo's own, whatever is configured."""
    mine = Settings(
        http=HttpSettings(host="0.0.0.0", port=443),
        mqtt=MqttSettings(broker="external", host="broker.example.org", port=8883, username="me"),
    )
    own = isolated(mine, tmp_path)
    assert (own.http.host, own.http.port) == ("127.0.0.1", 0)
    assert (own.mqtt.broker, own.mqtt.port, own.mqtt.username) == ("embedded", 0, None)
    assert own.paths.state == tmp_path
    assert own.whip.tokens[0].get_secret_value()
    assert own.policy.profile is Profile.KYC
    assert not own.load.enabled


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_demo_ends_by_itself_and_its_exit_code_is_what_it_says(tmp_path: Path) -> None:
    """The whole demo with the shipped weights: exit 0 with the alert for the forged caller alone, 1 otherwise."""
    for name in ("face_landmarker", "pexels_woman", "selfie_man"):
        sample(name)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "demo", "--json"),
        env=os.environ | {"LIFESIGN_PATHS__STATE": str(tmp_path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = (stream.decode() for stream in await process.communicate())
    assert "genuine:" in err, err
    assert "FAIL genuine" not in err, err
    right = "ok   forged" in err and "ok   genuine" in err
    assert process.returncode == (0 if right else 1), err
    alerted = {
        event["data"]["participant"]
        for event in map(json.loads, filter(lambda line: line.startswith("{"), out.splitlines()))
        if event["type"] == "lifesign.alert.v1"
    }
    assert alerted == {who for who in (GENUINE, FORGED, STUCK) if f"{who}: alert over MQTT" in err}
    assert STUCK in alerted
