# SPDX-License-Identifier: Apache-2.0
"""Values become events that say the same, in numbers a reader can rely on."""

import itertools
import json
import math
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import CueName, Settings
from monitor.publish.builder import EventBuilder
from monitor.publish.events import ParticipantMedia, parse
from monitor.publish.identity import Identity, configuration_sha256, identify
from monitor.values import AttackKind, State, TimelineStep

from .conftest import IDENTITY, clock, make_alert, make_verdict


def builder(identity: Identity = IDENTITY) -> EventBuilder:
    """A builder with counted ids and a fixed clock."""
    numbers = itertools.count(1)
    return EventBuilder(identity, lambda: f"id-{next(numbers)}", clock)


def test_verdict_event_is_a_cloud_event() -> None:
    """The JSON carries the CloudEvents attributes and the verdict, rounded, and reads back as the same event."""
    event = builder().verdict(make_verdict())
    document = json.loads(event.payload())
    assert document["specversion"] == "1.0"
    assert document["type"] == "lifesign.verdict.v1"
    assert document["source"] == "node-1"
    assert document["subject"] == "call-1/ann"
    assert document["time"] == "2026-05-04T12:30:15.250000Z"
    assert document["data"]["media_s"] == 12.346
    assert document["data"]["faces"][0]["contributions_nats"]["detector"] == 2.512
    assert document["data"]["faces"][1]["reasons"] == ["too_small"]
    assert parse(event.payload()) == event


def test_alert_event_names_model_and_configuration() -> None:
    """An alert says which weights and which settings spoke, and keeps its alert id apart from the event id."""
    make = builder()
    first, second = make.alert(make_alert()), make.alert(make_alert())
    assert first.id != second.id
    assert first.data.alert == second.data.alert == "alert-1"
    assert first.data.model == IDENTITY.model
    assert first.data.configuration_sha256 == IDENTITY.configuration_sha256


def test_an_alert_tells_what_led_to_it_second_by_second() -> None:
    """The newest seconds come along, oldest first, each with what its cues added and the score then."""
    steps = tuple(TimelineStep(float(second), 0.5, {"detector": second / 3}) for second in range(40))
    told = builder().alert(replace(make_alert(), timeline=steps)).data.timeline
    assert [step.media_s for step in told] == [float(second) for second in range(10, 40)]
    assert (told[0].nats, told[0].score) == ({"detector": 3.333}, 0.5)


@given(
    score=st.one_of(st.none(), st.floats()),
    nats=st.floats(),
    weight=st.floats(),
    sentence=st.text(max_size=2000),
)
def test_no_number_and_no_sentence_can_cost_an_alert(
    score: float | None, nats: float, weight: float, sentence: str
) -> None:
    """Whatever a cue hands over (NaN, infinity, very long words), the alert is built, is valid JSON and stays small."""
    alert = replace(
        make_alert(),
        score=score,
        contributions={"cue": nats},
        kinds={AttackKind.REPLAY: weight},
        sentences=(sentence,) * 40,
        timeline=tuple(TimelineStep(nats, score, dict.fromkeys(get_args(CueName), nats)) for _ in range(90)),
    )
    payload = builder().alert(alert).payload()
    assert len(payload) < 20_000
    read = parse(payload)
    assert read.data.score is None or 0 <= read.data.score <= 1
    json.loads(payload, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


def test_inconclusive_verdict_has_no_score() -> None:
    """Nothing judged is null, not zero."""
    event = builder().verdict(make_verdict(state=State.INCONCLUSIVE, score=None))
    assert json.loads(event.payload())["data"]["score"] is None
    assert json.loads(builder().verdict(make_verdict(score=math.nan)).payload())["data"]["score"] is None


def test_call_event_lists_participants_and_its_end() -> None:
    """A call is live with its participants, or ended."""
    media = ParticipantMedia(participant="ann", stalled=True, codec="VP8")
    live, ended = builder().call("call-1", (media,)), builder().call("call-1", (), ended=True)
    assert (live.data.status, live.data.participants) == ("live", (media,))
    assert ended.data.status == "ended"


@pytest.mark.parametrize("garbage", [b"", b"{}", b"null", b"\xff\xfe", b'{"type": "lifesign.verdict.v1"}', b"[" * 5000])
def test_garbage_is_a_value_error(garbage: bytes) -> None:
    """What is not an event is refused as ValueError and nothing else."""
    with pytest.raises(ValueError):
        parse(garbage)


def test_a_later_version_may_add_fields() -> None:
    """A reader ignores what it does not know, so that fields can be added within v1."""
    document = json.loads(builder().alert(make_alert()).payload())
    document["data"]["colour"] = "blue"
    document["traceparent"] = "00-0"
    assert parse(json.dumps(document).encode()).data.alert == "alert-1"


def test_configuration_hash_follows_what_shapes_verdicts_only() -> None:
    """Another profile changes the hash; another broker, node or token does not."""
    plain = Settings()
    assert configuration_sha256(plain) == configuration_sha256(Settings(node={"name": "other"}, mqtt={"port": 1}))
    assert configuration_sha256(plain) == configuration_sha256(Settings(whip={"tokens": ["secret"]}))
    assert configuration_sha256(plain) != configuration_sha256(Settings(policy={"profile": "kyc"}))
    assert identify(plain, "1.0", ("default", "b" * 64)).model.name == "default"
