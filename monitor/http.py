# SPDX-License-Identifier: Apache-2.0
"""A service in, its whole HTTP surface out: WHIP, API, console, health and metrics."""

from collections.abc import Callable
from importlib.metadata import version

from fastapi import FastAPI, Request

from monitor import challenge_routes, health
from monitor.capture.problem import answer_problem
from monitor.capture.tokens import TokenCheck
from monitor.errors import RequestError
from monitor.metrics import Metrics
from monitor.publish import api, page
from monitor.publish.explanations import routes as explanation_routes
from monitor.readings import readings
from monitor.service import Service

__all__ = ["http_app"]


def http_app(service: Service) -> FastAPI:
    """Compose the routes; the API asks for the tokens that may publish, health, metrics and pages for none."""
    app = FastAPI(title="Lifesign", version=version("lifesign"), docs_url=None, redoc_url=None)
    app.add_exception_handler(RequestError, answer_problem)
    app.include_router(service.whip.router)
    app.include_router(health.router(service.checks, Metrics(readings(service)).text))
    authorize = _bearer(TokenCheck(service.settings.whip.tokens))
    app.include_router(api.routes(service.live, authorize))
    app.include_router(explanation_routes.routes(service.explanations, authorize))
    app.include_router(challenge_routes.routes(service.challenges, service.passes, authorize))
    app.include_router(page.routes())
    return app


def _bearer(tokens: TokenCheck) -> Callable[[Request], None]:
    def authorized(request: Request) -> None:
        tokens.check(request.headers.get("authorization"))

    return authorized
