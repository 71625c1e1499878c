# SPDX-License-Identifier: Apache-2.0
"""The desk in; GET /v1/alerts/{alert}/explanation and its pictures out."""

import re
from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Depends, Response

from monitor.config import ID_PATTERN
from monitor.errors import ExplanationError, IdError
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.explanations.explanation import Explanation

__all__ = ["routes"]

NO_STORE: Final = {"Cache-Control": "no-store"}
PICTURE: Final = {**NO_STORE, "X-Content-Type-Options": "nosniff", "Content-Disposition": "inline"}


def routes(desk: ExplanationDesk, authorize: Callable[..., Any]) -> APIRouter:
    """The routes; `authorize` is a FastAPI dependency that raises RequestError for a request to refuse."""
    router = APIRouter(prefix="/v1/alerts/{alert}", tags=["alerts"], dependencies=[Depends(authorize)])

    @router.get("/explanation")
    async def explanation(alert: str, response: Response) -> Explanation:
        """Show what an alert rests on."""
        _check(alert)
        response.headers.update(NO_STORE)
        return await desk.explanation(alert)

    @router.get("/pictures/{number}.png", response_class=Response)
    async def picture(alert: str, number: str) -> Response:
        """Show the crop of a worst look, alone and with the boundary map over it."""
        _check(alert)
        if not re.fullmatch(r"[1-9]\d?", number, re.ASCII):
            raise ExplanationError("There is no such picture.", "Pictures are numbered from 1.")
        return Response(await desk.picture(alert, int(number)), media_type="image/png", headers=PICTURE)

    return router


def _check(alert: str) -> None:
    if not re.match(ID_PATTERN, alert):
        raise IdError(f"{alert[:80]!r} is not an id.", "Use the id that the alert carries.")
