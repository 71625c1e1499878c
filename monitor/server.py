# SPDX-License-Identifier: Apache-2.0
"""An ASGI application in, one HTTP or HTTPS listener on the caller's event loop out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from monitor.config import HttpSettings
from monitor.errors import StartError

__all__ = ["Listener", "listen", "listen_unix", "serve"]

Listener = socket.socket


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process decides when it ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, then say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(settings: HttpSettings) -> Listener:
    """Bind the configured address; raises StartError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
            "Stop the program that holds the port, or set http.port (0 takes a free one).",
        ) from error
    return listener


def listen_unix(path: Path) -> Listener:
    """Bind a Unix socket, in the place of one that an earlier process left there."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    return listener


@contextlib.asynccontextmanager
async def serve(app: FastAPI, settings: HttpSettings, listener: Listener) -> AsyncIterator[str]:
    """Serve until the block ends; gives the base URL. Open answers get three seconds to finish."""
    scheme = "https" if settings.tls_certificate else "http"
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        ready = asyncio.create_task(server.ready.wait(), name="http ready")
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task.done():
            await task
        yield f"{scheme}://{_authority(listener)}"
    finally:
        server.should_exit = True
        await task


def _authority(listener: Listener) -> str:
    if listener.family == socket.AF_UNIX:
        return Path(listener.getsockname()).name
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
