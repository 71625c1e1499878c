# SPDX-License-Identifier: Apache-2.0
"""A service in, its whole HTTP surface out: WHIP, API, console, health and metrics."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from fastapi import FastAPI, Request

from monitor import health
from monitor.capture.problem import answer_problem
from monitor.capture.tokens import TokenCheck
from monitor.config import Settings
from monitor.errors import RequestError
from monitor.health import Check
from monitor.metrics import Metrics
from monitor.processes.fleet import Fleet
from monitor.publish import api, page
from monitor.publish.explanations import routes as explanation_routes
from monitor.publish.explanations.desk import ExplanationDesk
from monitor.publish.live import Live
from monitor.readings import readings

if TYPE_CHECKING:  # the main process of several watches nobody itself
    from monitor.service import Service, Watching

__all__ = ["Shown", "fleet_app", "http_app", "ingest_app"]


class Shown(Protocol):
    """What every service shows, in one process or in several."""

    settings: Settings
    live: Live
    explanations: ExplanationDesk

    def checks(self) -> Mapping[str, Check]:
        """Readiness by name."""
        ...


def http_app(service: "Service") -> FastAPI:
    """Compose the routes; the API asks for the tokens that may publish, health, metrics and pages for none."""
    app = ingest_app(service)
    _add_shown(app, service, Metrics(readings(service)).text)
    return app


def fleet_app(fleet: Fleet) -> FastAPI:
    """The same surface in front of several processes; what is about one call is passed on to the call's own."""
    app = _app()
    app.include_router(fleet.forward.router)
    _add_shown(app, fleet, fleet.metrics)
    return app


def ingest_app(service: "Watching") -> FastAPI:
    """What the process that a call lives in answers: WHIP and challenges."""
    from monitor import challenge_routes  # noqa: PLC0415 - loads what judges answers

    app = _app()
    app.include_router(service.whip.router)
    authorize = _bearer(TokenCheck(service.settings.whip.tokens))
    app.include_router(challenge_routes.routes(service.challenges, service.passes, authorize))
    return app


def _app() -> FastAPI:
    app = FastAPI(title="Lifesign", version=version("lifesign"), docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestError, answer_problem)
    return app


def _add_shown(app: FastAPI, shown: Shown, metrics: Callable[[], bytes]) -> None:
    app.include_router(health.router(shown.checks, metrics))
    authorize = _bearer(TokenCheck(shown.settings.whip.tokens))
    app.include_router(api.routes(shown.live, authorize))
    app.include_router(explanation_routes.routes(shown.explanations, authorize))
    app.include_router(page.routes())


def _bearer(tokens: TokenCheck) -> Callable[[Request], None]:
    def authorized(request: Request) -> None:
        tokens.check(request.headers.get("authorization"))

    return authorized
