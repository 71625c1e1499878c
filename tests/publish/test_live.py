# SPDX-License-Identifier: Apache-2.0
"""What is known now, and streams that neither grow without end nor lose alerts first."""

import itertools

import pytest

from monitor.publish.builder import EventBuilder
from monitor.publish.events import ParticipantMedia
from monitor.publish.live import Listener, Live, TooManyListenersError, stream
from monitor.publish.topics import Address, Channel
from monitor.values import AlertChange

from .conftest import IDENTITY, clock, make_alert, make_verdict

ANN, BOB = ParticipantMedia(participant="ann"), ParticipantMedia(participant="bob")


@pytest.fixture
def builder() -> EventBuilder:
    """A builder with counted ids."""
    numbers = itertools.count()
    return EventBuilder(IDENTITY, lambda: f"id-{next(numbers)}", clock)


def test_board_follows_a_call(builder: EventBuilder) -> None:
    """Participants appear with their verdicts, leave with them, and the call's end leaves nothing but its alerts."""
    live = Live()
    for event in (
        builder.node("online"),
        builder.call("call-1", (ANN, BOB)),
        builder.verdict(make_verdict("ann")),
        builder.verdict(make_verdict("bob")),
        builder.alert(make_alert()),
    ):
        live(event)
    assert live.board.participants("call-1") == ("ann", "bob")
    assert [event.data.alert for event in live.board.open_alerts("call-1")] == ["alert-1"]
    live(builder.call("call-1", (ANN,)))
    assert live.board.participants("call-1") == ("ann",)
    live(builder.alert(make_alert(AlertChange.CLEARED)))
    assert live.board.open_alerts("call-1") == ()
    live(builder.call("call-1", (), ended=True))
    assert live.board.all_calls() == ()
    assert list(live.board.alerts) == ["alert-1"]


def test_board_forgets_emptied_topics(builder: EventBuilder) -> None:
    """An emptied topic takes its subject along, known or not."""
    live = Live()
    for event in (builder.node("online"), builder.call("call-1", (ANN,)), builder.verdict(make_verdict())):
        live(event)
    live.board.forget(Address(Channel.VERDICT, call="call-1", participant="ann"))
    assert not live.board.verdicts
    for address in (
        Address(Channel.CALL, call="call-1"),
        Address(Channel.CALL, call="never"),
        Address(Channel.NODE, node="node-1"),
    ):
        live.board.forget(address)
    assert not live.board.calls
    assert not live.board.nodes


def test_alerts_are_bounded(builder: EventBuilder) -> None:
    """A long-lived node remembers the last 500 alerts."""
    live = Live()
    for n in range(600):
        live(builder.alert(make_alert(alert=f"a{n}")))
    assert len(live.board.alerts) == 500
    assert "a599" in live.board.alerts
    assert "a0" not in live.board.alerts


async def test_slow_listener_gets_the_newest_verdict_and_every_alert(builder: EventBuilder) -> None:
    """Verdicts of one participant coalesce; alerts do not."""
    listener = Listener()
    for n in range(100):
        listener.put(builder.verdict(make_verdict(score=n / 100)))
    for change in (AlertChange.RAISED, AlertChange.UPDATED, AlertChange.CLEARED):
        listener.put(builder.alert(make_alert(change)))
    listener.close()
    told = [event async for event in stream(listener, 1.0)]
    assert [event.type for event in told if event] == ["lifesign.verdict.v1"] + ["lifesign.alert.v1"] * 3
    assert told[0].data.score == 0.99


def test_full_listener_drops_states_before_alerts(builder: EventBuilder) -> None:
    """Over its bound the oldest verdict goes first; alerts go only when nothing else is left."""
    listener = Listener(max_waiting=3)
    listener.put(builder.alert(make_alert(alert="kept")))
    for n in range(5):
        listener.put(builder.verdict(make_verdict(f"p{n}")))
    assert listener.dropped == 3
    for n in range(3):
        listener.put(builder.alert(make_alert(alert=f"a{n}")))
    kinds = [event.type for event in listener._waiting.values()]
    assert kinds == ["lifesign.alert.v1"] * 3
    assert listener.dropped == 6


async def test_idle_stream_says_so(builder: EventBuilder) -> None:
    """A silent stream yields None now and then, so that a proxy does not close it."""
    listener = Listener()
    events = stream(listener, 0.01)
    assert await anext(events) is None
    listener.put(builder.node("online"))
    assert (await anext(events)).type == "lifesign.node.v1"


async def test_listeners_are_bounded_and_counted(builder: EventBuilder) -> None:
    """The 65th listener is refused; who leaves makes room and takes its drop count along."""
    live = Live()
    listeners = [live.listen() for _ in range(64)]
    with pytest.raises(TooManyListenersError):
        live.listen()
    listeners[0].dropped = 7
    live.leave(listeners[0])
    live.leave(listeners[0])
    assert live.listeners == 63
    assert live.dropped == 7
    live.listen()
    live(builder.node("online"))
    live.close()
    assert [event async for event in stream(listeners[1], 1.0)] != []
