# SPDX-License-Identifier: Apache-2.0
"""One read-only page for a person who watches; the token is typed in and never part of an address."""

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
def page() -> str:
    """The page, complete in itself."""
    return resources.files("monitor.publish").joinpath("console.html").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """A Content-Security-Policy that runs the page's own script and style and talks to its own host, nothing else."""
    sources = {tag: _hashes(page(), tag) for tag in ("script", "style")}
    parts = ["default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    parts += [f"{tag}-src {hashes}" for tag, hashes in sources.items()]
    return "; ".join([*parts, "frame-ancestors 'none'"])


def _hashes(html: str, tag: str) -> str:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def routes() -> APIRouter:
    """GET /console; the page holds no data, so it asks for no token."""
    router = APIRouter(include_in_schema=False)

    @router.get("/console")
    async def console() -> HTMLResponse:
        """The page."""
        return HTMLResponse(page(), headers={**_HEADERS, "Content-Security-Policy": policy()})

    return router
