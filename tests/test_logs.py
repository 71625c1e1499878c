# SPDX-License-Identifier: Apache-2.0
"""What logs show, what they hide, and how often they repeat themselves."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from monitor import logs
from monitor.config import LogSettings
from monitor.logs import MASK, Throttle


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Whatever a test routes is routed back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Lines(io.StringIO):
    """Collects JSON lines."""

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


def routed(level: str = "info", form: str = "json", secrets: tuple[str, ...] = ()) -> Lines:
    """Logs that go into a buffer."""
    lines = Lines()
    logs.configure(LogSettings.model_validate({"level": level, "format": form}), secrets, lines)
    return lines


def test_call_and_participant_are_bound_to_every_line() -> None:
    """Also to lines of the standard library's loggers inside the call."""
    lines = routed()
    with structlog.contextvars.bound_contextvars(call="board", participant="alice"):
        structlog.get_logger("ours").info("seen")
        logging.getLogger("uvicorn.error").warning("theirs %d", 3)
    assert [(event["call"], event["participant"], event["event"]) for event in lines.events()] == [
        ("board", "alice", "seen"),
        ("board", "alice", "theirs 3"),
    ]


def test_fields_named_like_secrets_are_masked() -> None:
    """By name, whatever their value."""
    lines = routed()
    structlog.get_logger().info("login", password="abc", whip_token="def", user="eve")
    event = lines.events()[0]
    assert (event["password"], event["whip_token"], event["user"]) == (MASK, MASK, "eve")


@pytest.mark.parametrize("form", ["human", "json"])
def test_known_secrets_are_masked_anywhere(form: str) -> None:
    """In a text, in a field, in a traceback, also when JSON escapes them."""
    secret = 'pass"word\\'
    lines = routed(form=form, secrets=(secret,))
    try:
        raise ValueError(secret)
    except ValueError:
        structlog.get_logger().exception(f"url mqtt://u:{secret}@host", field=secret)
    assert secret not in lines.getvalue()
    assert json.dumps(secret)[1:-1] not in lines.getvalue()
    assert MASK in lines.getvalue()


def test_local_variables_are_not_logged() -> None:
    """A traceback tells where, and nothing of what was in memory there."""
    lines = routed()
    try:
        picture = "pixels of a face"
        raise ValueError(len(picture))
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "pixels of a face" not in lines.getvalue()


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("error", 1)])
def test_the_level_decides(level: str, shown: int) -> None:
    """Our loggers and those of libraries obey one level."""
    lines = routed(level)
    structlog.get_logger().debug("one")
    logging.getLogger("library").info("two")
    structlog.get_logger().error("three")
    assert len(lines.events()) == shown


def test_chatty_libraries_speak_at_warning_only() -> None:
    """ICE says a line per candidate at info."""
    lines = routed()
    logging.getLogger("aioice.ice").info("candidate")
    logging.getLogger("aioice.ice").warning("trouble")
    assert [event["event"] for event in lines.events()] == ["trouble"]


def test_a_pipe_gets_json_and_people_get_text() -> None:
    """`auto` looks at the stream."""
    assert json.loads(_said("auto"))["event"] == "hello"
    assert "hello" in _said("human")
    assert "\x1b" not in _said("human")


def _said(form: str) -> str:
    lines = routed(form=form)
    structlog.get_logger().info("hello")
    return lines.getvalue()


def test_a_throttled_event_is_said_once_a_second_and_counts_the_rest() -> None:
    """A lost broker does not flood the log; another key is not held back."""
    now_s = 0.0
    throttle = Throttle(clock=lambda: now_s)
    said = []
    for now_s, key in [(0.0, "a"), (0.1, "a"), (0.2, "b"), (0.9, "a"), (1.0, "a"), (2.5, "a")]:
        try:
            said.append((now_s, throttle(None, "info", {"throttle": key}).get("not_said")))
        except structlog.DropEvent:
            continue
    assert said == [(0.0, None), (0.2, None), (1.0, 2), (2.5, None)]


def test_events_without_a_key_are_never_held_back() -> None:
    """Throttling is asked for, event by event."""
    throttle = Throttle(clock=lambda: 0.0)
    assert [throttle(None, "info", {"event": "x"}) for _ in range(3)] == [{"event": "x"}] * 3
