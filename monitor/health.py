# SPDX-License-Identifier: Apache-2.0
"""Named checks in; GET /healthz, /readyz and /metrics out."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

__all__ = ["Check", "router"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store"}


class Check(NamedTuple):
    """Whether one thing that readiness needs is there; `reason` says what it is, or why not."""

    ok: bool
    reason: str


def router(checks: Callable[[], Mapping[str, Check]], metrics: Callable[[], bytes]) -> APIRouter:
    """Build the routes; `checks` and `metrics` are called for each request and must be quick."""
    routes = APIRouter(tags=["health"])

    @routes.get("/healthz")
    async def healthz() -> Response:
        """Answer while the event loop turns; says nothing about readiness."""
        return PlainTextResponse("ok\n", headers=NO_STORE)

    @routes.get("/readyz")
    async def readyz() -> Response:
        """Answer 200 when every check is ok, else 503; both with all checks and their reasons."""
        results = checks()
        ready = all(check.ok for check in results.values())
        body = {"ready": ready, "checks": {name: check._asdict() for name, check in results.items()}}
        return JSONResponse(body, status_code=200 if ready else 503, headers=NO_STORE)

    @routes.get("/metrics")
    async def metrics_text() -> Response:
        """Answer in Prometheus text format."""
        return Response(metrics(), media_type=METRICS_TYPE, headers=NO_STORE)

    return routes
