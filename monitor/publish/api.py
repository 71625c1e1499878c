# SPDX-License-Identifier: Apache-2.0
"""What is known now in; GET /v1/calls, its parts, and /v1/events as server-sent events out."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from monitor.config import ID_PATTERN
from monitor.errors import CapacityError, IdError, SessionError
from monitor.publish.board import Board
from monitor.publish.events import AlertData, ParticipantMedia, VerdictData
from monitor.publish.live import Listener, Live, TooManyListenersError, stream
from monitor.values import State

__all__ = ["CallLine", "CallView", "CallsView", "ParticipantView", "routes"]

_IDLE_S: Final = 15.0  # proxies close a silent stream after 30 to 60 s
_BADNESS: Final = (State.CLEAR, State.INCONCLUSIVE, State.SUSPECT, State.ALERT)
_NO_STORE: Final = {"Cache-Control": "no-store"}
_STREAM_HEADERS: Final = {**_NO_STORE, "X-Accel-Buffering": "no"}


class CallLine(BaseModel):
    """A call in one line."""

    call: str
    state: State = Field(description="State of the worst participant.")
    participants: int
    open_alerts: int


class CallsView(BaseModel):
    """Every call."""

    calls: list[CallLine]


class ParticipantView(BaseModel):
    """What is known of a participant; null: nothing yet."""

    participant: str
    media: ParticipantMedia | None
    verdict: VerdictData | None
    alerts: list[AlertData] = Field(description="Alerts that are not cleared.")


class CallView(BaseModel):
    """What is known of a call."""

    call: str
    state: State = Field(description="State of the worst participant.")
    participants: list[ParticipantView]


def _participant(board: Board, call: str, participant: str) -> ParticipantView:
    state, verdict = board.calls.get(call), board.verdicts.get((call, participant))
    listed = state.data.participants if state else ()
    return ParticipantView(
        participant=participant,
        media=next((media for media in listed if media.participant == participant), None),
        verdict=verdict.data if verdict else None,
        alerts=[event.data for event in board.open_alerts(call) if event.data.participant == participant],
    )


def _worst(board: Board, call: str) -> State:
    states = [event.data.state for (of, _), event in board.verdicts.items() if of == call]
    return max(states, key=_BADNESS.index, default=State.INCONCLUSIVE)


def _line(board: Board, call: str) -> CallLine:
    return CallLine(
        call=call,
        state=_worst(board, call),
        participants=len(board.participants(call)),
        open_alerts=len(board.open_alerts(call)),
    )


def _check(*ids: str) -> None:
    for id_ in ids:
        if not re.match(ID_PATTERN, id_):
            raise IdError(f"{id_[:80]!r} is not an id.", "Use 1 to 64 letters, digits, underscores or hyphens.")


def _known_call(board: Board, call: str) -> None:
    _check(call)
    if call not in board.all_calls():
        raise SessionError(f"There is no call {call}.", "GET /v1/calls lists the calls there are.")


class _EventStream(StreamingResponse):
    """Server-sent events (WHATWG HTML, 9.2) for one listener, who leaves however the response ends."""

    media_type = "text/event-stream"

    def __init__(self, live: Live, listener: Listener) -> None:
        super().__init__(_frames(listener), headers=_STREAM_HEADERS)
        self._live = live
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.leave(self._listener)


async def _frames(listener: Listener) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    async for event in stream(listener, _IDLE_S):
        yield ":\n\n" if event is None else f"event: {event.type}\nid: {event.id}\ndata: {event.model_dump_json()}\n\n"


def routes(live: Live, authorize: Callable[..., Any]) -> APIRouter:
    """The read-only API; `authorize` is a FastAPI dependency that raises RequestError for a request to refuse.

    Refusals are raised as RequestError; the application answers them as problem+json (RFC 9457).
    """
    router = APIRouter(prefix="/v1", tags=["calls"], dependencies=[Depends(authorize)])
    board = live.board

    @router.get("/calls")
    async def calls() -> CallsView:
        """List the calls."""
        return CallsView(calls=[_line(board, call) for call in board.all_calls()])

    @router.get("/calls/{call}")
    async def call_view(call: str) -> CallView:
        """Show a call and everybody in it."""
        _known_call(board, call)
        participants = [_participant(board, call, who) for who in board.participants(call)]
        return CallView(call=call, state=_worst(board, call), participants=participants)

    @router.get("/calls/{call}/participants/{participant}")
    async def participant_view(call: str, participant: str) -> ParticipantView:
        """Show a participant."""
        _check(call, participant)
        _known_call(board, call)
        if participant not in board.participants(call):
            raise SessionError(f"There is no participant {participant} in {call}.", f"GET /v1/calls/{call} lists them.")
        return _participant(board, call, participant)

    @router.get("/events", response_class=StreamingResponse)
    async def events() -> StreamingResponse:
        """Stream events: first all that is known, then each as it happens."""
        try:
            return _EventStream(live, live.listen())
        except TooManyListenersError:
            raise CapacityError(
                "Too many listeners read the event stream.", "Close one, or read MQTT.", {"Retry-After": "10"}
            ) from None

    return router
