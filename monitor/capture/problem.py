# SPDX-License-Identifier: Apache-2.0
"""A refused request in, an HTTP answer that machines and people can read out (RFC 9457)."""

from fastapi import Request
from fastapi.responses import JSONResponse

from monitor.errors import RequestError

__all__ = ["answer_problem", "problem"]


class ProblemResponse(JSONResponse):
    """JSON with the media type of problem details."""

    media_type = "application/problem+json"


def problem(error: RequestError) -> JSONResponse:
    """Answer with `title` and `code` of the kind of error, and `detail` and `advice` of this one."""
    title = (type(error).__doc__ or error.code).splitlines()[0].rstrip(".")
    body = {
        "type": "about:blank",
        "title": title,
        "status": error.status,
        "code": error.code,
        "detail": error.what,
        "advice": error.advice,
    }
    return ProblemResponse(body, error.status, error.headers)


async def answer_problem(_: Request, error: Exception) -> JSONResponse:
    """Exception handler for `RequestError`: `app.add_exception_handler(RequestError, answer_problem)`."""
    if not isinstance(error, RequestError):
        raise error
    return problem(error)
