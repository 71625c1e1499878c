# SPDX-License-Identifier: Apache-2.0
"""The message contract: what consumers were promised stays, and what is sent keeps the promise."""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from monitor.publish import contract
from monitor.publish.builder import EventBuilder
from monitor.publish.events import Event, FaceSummary, ModelIdentity, ParticipantMedia, Summary
from monitor.publish.identity import Identity
from monitor.publish.topics import ADDRESSES
from monitor.values import (
    Alert,
    AlertChange,
    AttackKind,
    Challenge,
    ChallengeKind,
    ChallengeState,
    Reason,
    State,
    TimelineStep,
    TrackVerdict,
    Verdict,
)

IDENTITY = Identity("node-1", "0.1.0", "c" * 64, ModelIdentity(name="default", sha256="a" * 64))
DOCUMENT = Path(__file__).parents[2] / "docs" / "mqtt.md"


def builder(identity: Identity = IDENTITY) -> EventBuilder:
    """A builder with counted ids and a fixed clock."""
    numbers = itertools.count(1)
    return EventBuilder(identity, lambda: f"event-{next(numbers)}", lambda: datetime(2026, 5, 4, 12, 0, tzinfo=UTC))


def examples() -> dict[str, Event]:
    """One event of each kind."""
    face = TrackVerdict(
        track=1,
        state=State.SUSPECT,
        score=0.62,
        since_s=4.0,
        contributions={"detector": 2.5, "blink": -0.25},
        kinds={AttackKind.FACE_SWAP: 0.75, AttackKind.REENACTMENT: 0.25},
        sentences=("The face boundary moves against the head.",),
        judged_s=6.5,
    )
    small = TrackVerdict(2, State.INCONCLUSIVE, None, 0.0, reasons=(Reason.TOO_SMALL,))
    verdict = Verdict("call-1", "ann", 12.5, State.SUSPECT, 0.62, 4.0, (), (face, small))
    alert = Alert(
        id="alert-1",
        change=AlertChange.RAISED,
        call="call-1",
        participant="ann",
        track=1,
        media_s=14.0,
        raised_s=14.0,
        score=0.91,
        kinds={AttackKind.FACE_SWAP: 1.0},
        sentences=("The face boundary moves against the head.",),
        contributions={"detector": 9.125},
        timeline=(TimelineStep(13.0, 0.88, {"detector": 2.25}),),
    )
    challenge = Challenge(
        id="challenge-1",
        call="call-1",
        participant="ann",
        kind=ChallengeKind.TURN_HEAD,
        state=ChallengeState.PASSED,
        media_s=21.4,
        sentence="The participant did what was asked, when it was asked.",
        asked=("left", "up"),
        measurements={"answers": 2.0, "mistakes": 0.0, "slowest_answer_s": 1.4},
    )
    media = ParticipantMedia(participant="ann", codec="VP8", width_px=640, height_px=480, received_frames=360)
    make = builder()
    return {
        "node": make.node("online"),
        "call": make.call("call-1", (media, ParticipantMedia(participant="bob", stalled=True))),
        "verdict": make.verdict(verdict),
        "alert": make.alert(alert),
        "challenge": make.challenge(challenge),
    }


def summary() -> Summary:
    """The last line of a scan."""
    face = FaceSummary(
        track=1,
        score=0.8,
        state=State.ALERT,
        first_alert_s=9.5,
        judged_s=11.0,
        kinds={AttackKind.FACE_SWAP: 1.0},
        reasons=(),
    )
    fields = face.model_dump(exclude={"track"})
    return Summary(file="a.mp4", seconds=12.0, faces=(face,), **fields)


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Snapshots as JSON files, one for each name."""
    return snapshot.use_extension(JSONSnapshotExtension)


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """A validator that checks formats too."""
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_json_schema_is_as_promised(golden: SnapshotAssertion) -> None:
    """A change of the schema is a change of the contract: look at it, then update the snapshot."""
    assert contract.schema() == golden


def test_asyncapi_is_as_promised(golden: SnapshotAssertion) -> None:
    """A change of topics, retention, QoS or expiry is a change of the contract."""
    assert contract.asyncapi() == golden


def test_events_are_as_promised(golden: SnapshotAssertion) -> None:
    """The JSON on the wire, one example of each kind."""
    told = {name: json.loads(event.payload()) for name, event in examples().items()}
    assert {**told, "summary": json.loads(summary().model_dump_json())} == golden


@pytest.mark.parametrize("name", ["node", "call", "verdict", "alert", "challenge"])
def test_events_match_their_schema_and_no_other(name: str) -> None:
    """Each event is valid under exactly one schema of the document, its own."""
    schema = contract.schema()
    payload = json.loads(examples()[name].payload())
    validator(schema).validate(payload)
    matching = [
        reference["$ref"]
        for reference in schema["oneOf"]
        if validator({**reference, "$defs": schema["$defs"]}).is_valid(payload)
    ]
    assert matching == [f"#/$defs/{type(examples()[name]).__name__}"]


def test_summary_matches_its_schema() -> None:
    """The scan's last line is part of the document."""
    validator(contract.schema()).validate(json.loads(summary().model_dump_json()))


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type", "time", "data"])
def test_schema_demands_what_cloudevents_demands(missing: str) -> None:
    """An event without a required attribute is invalid, so the schema can be used to check others."""
    payload = json.loads(examples()["alert"].payload())
    del payload[missing]
    assert not validator(contract.schema()).is_valid(payload)


@given(
    state=st.sampled_from(State),
    score=st.one_of(st.none(), st.floats(0, 1)),
    reasons=st.lists(st.sampled_from(Reason), max_size=3),
    kinds=st.dictionaries(st.sampled_from(AttackKind), st.floats(0, 1)),
    nats=st.dictionaries(st.text("abc_", min_size=1, max_size=8), st.floats(-1e6, 1e6)),
)
def test_every_verdict_matches_the_schema(
    state: State,
    score: float | None,
    reasons: list[Reason],
    kinds: dict[AttackKind, float],
    nats: dict[str, float],
) -> None:
    """Any verdict the policy may reach is valid JSON under the schema."""
    face = TrackVerdict(1, state, score, 0.0, tuple(reasons), nats, kinds)
    event = builder().verdict(Verdict("c", "p", 1.0, state, score, 0.0, tuple(reasons), (face,)))
    SCHEMA_VALIDATOR.validate(json.loads(event.payload()))


SCHEMA_VALIDATOR = validator(contract.schema())


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


@pytest.mark.parametrize("document", [contract.schema(), contract.asyncapi()], ids=["schema", "asyncapi"])
def test_references_resolve(document: dict[str, Any]) -> None:
    """Every reference leads somewhere inside the document."""
    references = set(_references(document))
    assert references
    for reference in references:
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
        assert node


def test_asyncapi_speaks_of_every_topic_as_it_is_published() -> None:
    """Channels, parameters and bindings agree with the topics and with MQTT."""
    document = contract.asyncapi()
    assert {channel["address"] for channel in document["channels"].values()} == {
        f"lifesign/v1/{address}" for address in ADDRESSES.values()
    }
    for channel in document["channels"].values():
        assert set(channel["parameters"]) == set(re.findall(r"\{(\w+)\}", channel["address"]))
    bindings = {name: operation["bindings"]["mqtt"] for name, operation in document["operations"].items()}
    assert [bindings[f"send_{name}"]["retain"] for name in ("node", "call", "verdict", "alert", "challenge")] == [
        *[True] * 3,
        *[False] * 2,
    ]
    assert bindings["send_alert"]["messageExpiryInterval"] == 86_400
    assert document["servers"]["broker"]["bindings"]["mqtt"]["lastWill"]["retain"] is True


def test_documentation_has_the_generated_topic_table() -> None:
    """The table in docs/mqtt.md is what the code says; copy the output of `contract.topic_table()` when it is not."""
    assert contract.topic_table() in DOCUMENT.read_text(encoding="utf-8")


def test_documentation_shows_a_true_alert() -> None:
    """The example in docs/mqtt.md is an alert event as it is sent."""
    (block,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert json.loads(block) == json.loads(examples()["alert"].payload())
