# SPDX-License-Identifier: Apache-2.0
"""HTTP requests about challenges in; orders to the desk, invitations and what a participant is to see out."""

import re
import time
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from monitor.capture.passes import LIFETIME_S, Passes
from monitor.challenges import Challenges
from monitor.config import ID_PATTERN
from monitor.errors import IdError, OrderError, SessionError, SizeError
from monitor.liveness.challenge.script import Order
from monitor.liveness.challenge.turn import TURN_DEG
from monitor.publish.builder import challenge_data
from monitor.publish.events import ChallengeData
from monitor.values import ChallengeKind

__all__ = ["routes"]

LONGEST_BODY: Final = 4096
NO_STORE: Final = {"Cache-Control": "no-store"}


class OrderBody(BaseModel):
    """What to ask of a participant; what is left out is drawn at random, which is what keeps recordings out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ChallengeKind
    deadline_s: Annotated[float, Field(ge=10, le=120, description="Seconds until it ends whatever happens.")] = 45.0
    directions: Annotated[tuple[Literal["left", "right", "up", "down"], ...], Field(max_length=4)] = ()
    angle_deg: Annotated[float, Field(ge=12, le=35, description="Turn to a side; up and down 0.6 of it.")] = TURN_DEG

    @model_validator(mode="after")
    def _fits(self) -> "OrderBody":
        if self.kind is not ChallengeKind.TURN_HEAD and self.model_fields_set & {"directions", "angle_deg"}:
            raise ValueError("directions and angle_deg go with turn_head alone")
        return self


class StartedView(BaseModel):
    """A challenge that has been started; `token` and `page` are for its participant alone."""

    challenge: ChallengeData
    token: str
    page: str


class InvitationView(BaseModel):
    """A way in for one participant: to publish under this name, and to see what is asked."""

    token: str
    page: str
    expires_in_s: float


class ShownView(BaseModel):
    """What a participant is to see now; the parts that go with the kind are null otherwise."""

    challenge: str
    kind: ChallengeKind
    state: str
    words: str
    sentence: str
    progress: float
    arrow: str | None
    point: tuple[float, float] | None
    colour: str | None
    digit: str | None


class HistoryView(BaseModel):
    """Challenges of a participant, oldest first."""

    challenges: list[ChallengeData]


def routes(desk: Challenges, passes: Passes, authorize: Callable[..., Any]) -> APIRouter:
    """The challenges API; `authorize` is the dependency that lets operators in.

    A participant reads `/challenge` with the token of the challenge, or with the invitation they came in by.
    """
    router = APIRouter(prefix="/v1/calls/{call}/participants/{participant}", tags=["challenges"])
    _for_operators(router, desk, passes, Depends(authorize))
    _for_participants(router, desk, passes)
    return router


def _for_operators(router: APIRouter, desk: Challenges, passes: Passes, operator: Any) -> None:  # noqa: ANN401
    @router.post("/invitations", status_code=201, dependencies=[operator])
    async def invite(call: str, participant: str, response: Response) -> InvitationView:
        """Make a token with which one participant publishes and is asked."""
        _check(call, participant)
        response.headers.update(NO_STORE)
        token = passes.issue(call, participant)
        return InvitationView(token=token, page=_page(call, participant, token, publish="1"), expires_in_s=LIFETIME_S)

    @router.post("/challenges", status_code=201, dependencies=[operator])
    async def start(call: str, participant: str, request: Request, response: Response) -> StartedView:
        """Ask a participant something."""
        _check(call, participant)
        body = await _order(request)
        order = Order(body.kind, body.directions, body.angle_deg)
        started = await desk.start(call, participant, order, body.deadline_s, time.monotonic())
        response.headers.update(NO_STORE | {"Location": f"{request.url.path}/{started.challenge.id}"})
        page = _page(call, participant, started.token)
        return StartedView(challenge=challenge_data(started.challenge), token=started.token, page=page)

    @router.get("/challenges", dependencies=[operator])
    async def history(call: str, participant: str) -> HistoryView:
        """List the participant's challenges; those of somebody who has left are forgotten."""
        _check(call, participant)
        return HistoryView(challenges=[challenge_data(each) for each in desk.history(call, participant)])

    @router.get("/challenges/{challenge}", dependencies=[operator])
    async def one(call: str, participant: str, challenge: str) -> ChallengeData:
        """Show one challenge."""
        _check(call, participant)
        found = [each for each in desk.history(call, participant) if each.id == challenge]
        if not found:
            raise SessionError("There is no such challenge.", "The last few of a participant who is there are kept.")
        return challenge_data(found[0])


def _for_participants(router: APIRouter, desk: Challenges, passes: Passes) -> None:
    @router.get("/challenge")
    async def shown(call: str, participant: str, request: Request, response: Response) -> ShownView:
        """Show the participant what to do now; the first look starts the challenge."""
        _check(call, participant)
        given = request.headers.get("authorization")
        if not passes.allows(given, call, participant):
            desk.authorize(call, participant, (given or "").partition(" ")[2].strip())
        response.headers.update(NO_STORE)
        seen = desk.show(call, participant, time.monotonic())
        if seen is None:
            raise SessionError("Nothing is asked now.", "Ask again in a while.", dict(NO_STORE))
        told, what = seen
        return ShownView(
            challenge=told.id,
            kind=told.kind,
            state=told.state,
            words=what.words,
            sentence=told.sentence,
            progress=round(what.progress, 2),
            arrow=what.arrow,
            point=what.point,
            colour=what.colour,
            digit=what.digit,
        )


def _check(*ids: str) -> None:
    for each in ids:
        if not re.match(ID_PATTERN, each):
            raise IdError(f"{each[:80]!r} is not an id.", "Use 1 to 64 letters, digits, underscores or hyphens.")


def _page(call: str, participant: str, token: str, **more: str) -> str:
    """The page's address; in the fragment, which browsers send to nobody, the token stays out of every log."""
    return "/challenge#" + urlencode({"call": call, "participant": participant, "token": token, **more})


async def _order(request: Request) -> OrderBody:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise SizeError(f"The body is over {LONGEST_BODY} bytes.", "Send the order alone.", {"Connection": "close"})
    try:
        return OrderBody.model_validate_json(bytes(body))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        kinds = ", ".join(ChallengeKind)
        raise OrderError(
            f"{where}: {first['msg']}.", f'Send JSON such as {{"kind": "turn_head"}}; kinds: {kinds}.'
        ) from error
