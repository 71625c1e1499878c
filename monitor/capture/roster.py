# SPDX-License-Identifier: Apache-2.0
"""Negotiated sessions in; one running session for each participant, found by its secret id, out."""

import asyncio
from typing import Final

import structlog

from monitor.errors import SessionError

from .session import Admit, Session

__all__ = ["Roster"]

LEAVE_TIMEOUT_S: Final = 5.0
"""How long a session may take to wind down before it is cancelled."""


class Roster:
    """The sessions that run in `group`, each in a task of its own."""

    def __init__(self, group: asyncio.TaskGroup, admit: Admit) -> None:
        self._group = group
        self._admit = admit
        self._by_id: dict[str, Session] = {}
        self._by_name: dict[tuple[str, str], Session] = {}
        self._tasks: dict[Session, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: tuple[str, str]) -> bool:
        return name in self._by_name

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """Calls and participants of the sessions."""
        return frozenset(self._by_name)

    def find(self, name: tuple[str, str], session_id: str) -> Session:
        """The session of this participant with this id. Raises `SessionError`."""
        session = self._by_id.get(session_id)
        if session is None or session.name != name:
            raise SessionError("There is no such session.", "It has ended or never was; publish again.")
        return session

    async def start(self, session: Session) -> None:
        """Run a session, after an older one of the same participant has ended."""
        while (older := self._by_name.get(session.name)) is not None:
            await self.end(older)
        self._by_id[session.id] = self._by_name[session.name] = session
        name = f"whip {session.call}/{session.participant}"
        self._tasks[session] = self._group.create_task(self._run(session), name=name)

    async def end(self, session: Session) -> None:
        """End a session and wait until all of it is closed; one that takes too long is cancelled."""
        await session.leave()
        task = self._tasks.get(session)
        if task is None:
            return
        done, _ = await asyncio.wait({task}, timeout=LEAVE_TIMEOUT_S)
        if not done:
            task.cancel()
            await asyncio.wait({task})

    async def end_all(self) -> None:
        """End all sessions at once."""
        async with asyncio.TaskGroup() as group:
            for session in list(self._tasks):
                group.create_task(self.end(session), name="end session")

    def forget(self, session: Session) -> None:
        """Make the id of a session unknown while it winds down."""
        self._by_id.pop(session.id, None)

    async def _run(self, session: Session) -> None:
        log = structlog.get_logger().bind(call=session.call, participant=session.participant)
        try:
            await session.run(self._admit)
        except Exception:  # a fault ends its own session, never the task group of all
            log.exception("session broke off")
        finally:
            self.forget(session)
            del self._tasks[session]
            if self._by_name.get(session.name) is session:
                del self._by_name[session.name]
