# SPDX-License-Identifier: Apache-2.0
"""Settings, identities and values that the publish tests share."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config import Settings
from monitor.publish.events import ModelIdentity
from monitor.publish.identity import Identity
from monitor.values import Alert, AlertChange, AttackKind, Reason, State, TrackVerdict, Verdict
from tests.fakes.brokers import Mosquitto

IDENTITY = Identity("node-1", "0.1.0", "c" * 64, ModelIdentity(name="default", sha256="a" * 64))


@pytest.fixture
def identity() -> Identity:
    """Who speaks in these tests."""
    return IDENTITY


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A plain mosquitto."""
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Settings of a node that publishes to an external broker, its state in the test's folder."""

    def make(port: int = 1, **mqtt: object) -> Settings:
        link = {"broker": "external", "port": port, "publish_timeout_s": 2.0, "reconnect_max_s": 0.3, **mqtt}
        return Settings(node={"name": "node-1", "drain_s": 3.0}, mqtt=link, paths={"state": tmp_path / "state"})

    return make


def clock() -> datetime:
    """A fixed moment."""
    return datetime(2026, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)


def make_verdict(participant: str = "ann", state: State = State.SUSPECT, score: float | None = 0.62) -> Verdict:
    """A participant with two faces."""
    worst = TrackVerdict(
        track=1,
        state=state,
        score=score,
        since_s=4.0,
        contributions={"detector": 2.51234567, "blink": -0.2},
        kinds={AttackKind.FACE_SWAP: 0.8, AttackKind.REENACTMENT: 0.2},
        sentences=("The face boundary moves against the head.",),
        judged_s=6.5,
    )
    other = TrackVerdict(track=2, state=State.INCONCLUSIVE, score=None, since_s=0.0, reasons=(Reason.TOO_SMALL,))
    return Verdict("call-1", participant, 12.3456789, state, score, 4.0, (), (worst, other))


def make_alert(change: AlertChange = AlertChange.RAISED, alert: str = "alert-1", call: str = "call-1") -> Alert:
    """An alert's change."""
    return Alert(
        id=alert,
        change=change,
        call=call,
        participant="ann",
        track=1,
        media_s=14.0,
        raised_s=13.0,
        score=0.91,
        kinds={AttackKind.FACE_SWAP: 1.0},
        sentences=("The face boundary moves against the head.",),
        contributions={"detector": 9.125},
    )
