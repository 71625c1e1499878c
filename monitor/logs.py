# SPDX-License-Identifier: Apache-2.0
"""Log settings in; one stream of lines on stderr out, for people on a terminal, JSON otherwise.

Any log call may carry `throttle="key"`: of the calls with one key, one a second is said, and it counts the others.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from monitor.config import LogSettings

__all__ = ["MASK", "Masked", "Throttle", "configure"]

MASK = "**********"
SECRET_WORDS = ("authorization", "credential", "password", "secret", "token")
QUIET = ("aioice", "aiortc", "asyncio", "hpack", "libav", "matplotlib", "uvicorn.access", "uvicorn.error")
"""Loggers whose informational lines say nothing to an operator; shown at level debug."""
SHORTEST_MASKED = 6
"""A shorter secret is not searched for in texts: it would blank ordinary words."""


class Throttle:
    """Lets one event a second through per key; the next one let through says how many were not."""

    def __init__(self, period_s: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Structlog processor; raises DropEvent for an event that comes too early."""
        if (key := event.pop("throttle", None)) is None:
            return event
        now_s = self._clock()
        last_s, dropped = self._said.get(key, (-self._period_s, 0))
        if now_s - last_s < self._period_s:
            self._said[key] = (last_s, dropped + 1)
            raise structlog.DropEvent
        self._said[key] = (now_s, 0)
        return {**event, "not_said": dropped} if dropped else event


class Masked(logging.Formatter):
    """Formats with another formatter and blanks every known secret in its text."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        long = {secret for secret in secrets if len(secret) >= SHORTEST_MASKED}
        escaped = {json.dumps(secret)[1:-1] for secret in long}
        self._secrets = sorted(long | escaped, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Render the record without secrets."""
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text


def configure(settings: LogSettings, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Route structlog and the standard library's loggers to `stream` (stderr); may be called again.

    `secrets` are values that must never be shown, wherever in a line they turn up.
    """
    stream = stream or sys.stderr
    human = settings.format == "human" or (settings.format == "auto" and stream.isatty())
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    shared = _shared_processors()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Masked(_formatter(shared, human=human, colors=_colors(stream)), secrets))
    _route(handler, level)


def _route(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        Throttle(),
        _mask_fields,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(shared: list[Processor], *, human: bool, colors: bool) -> logging.Formatter:
    renderers: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if human:
        plain = structlog.dev.plain_traceback
        renderers.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain, pad_event_to=0))
    else:
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        renderers += [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer(default=str)]
    return structlog.stdlib.ProcessorFormatter(processors=renderers, foreign_pre_chain=shared)


def _mask_fields(_logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = MASK
    return event


def _colors(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR")
