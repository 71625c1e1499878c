# SPDX-License-Identifier: Apache-2.0
"""Pages for people: the console, whose token is typed in, and a challenge, whose token is in the fragment."""

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

__all__ = ["page", "policy", "routes"]

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@cache
def page(name: str) -> str:
    """The page `console` or `challenge`, complete in itself."""
    return resources.files("monitor.publish").joinpath(f"{name}.html").read_text(encoding="utf-8")


@cache
def policy(name: str) -> str:
    """A Content-Security-Policy that runs the page's own script and style and talks to its own host, nothing else."""
    sources = {tag: _hashes(page(name), tag) for tag in ("script", "style")}
    parts = ["default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    parts += [f"{tag}-src {hashes}" for tag, hashes in sources.items()]
    return "; ".join([*parts, "frame-ancestors 'none'"])


def _hashes(html: str, tag: str) -> str:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def _answer(name: str) -> HTMLResponse:
    return HTMLResponse(page(name), headers={**_HEADERS, "Content-Security-Policy": policy(name)})


def routes() -> APIRouter:
    """GET /console and /challenge; the pages hold no data, so they ask for no token."""
    router = APIRouter(include_in_schema=False)

    @router.get("/console")
    async def console() -> HTMLResponse:
        """The page of a person who watches."""
        return _answer("console")

    @router.get("/challenge")
    async def challenge() -> HTMLResponse:
        """The page of a participant."""
        return _answer("challenge")

    return router
