# SPDX-License-Identifier: Apache-2.0
"""An outbox and retained letters in, a broker kept up to date out, through every reconnect."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NoReturn

import structlog

from monitor.errors import LifesignError, PublishError, RefusedError
from monitor.publish.backoff import Backoff
from monitor.publish.letter import Letter
from monitor.publish.mqtt import Session
from monitor.publish.outbox import Outbox
from monitor.publish.refusals import Refusals
from monitor.publish.retained import REFRESH_S, Retained
from monitor.publish.store import Entry
from monitor.publish.throttle import Throttle

__all__ = ["Link"]

log = structlog.get_logger()
# Letters in flight: 3,000 alerts went through three broker kills in 4.4 s without a loss (docs/decisions).
_WINDOW: Final = 64
# A link that lived this long was a good one: the next wait is short again.
_STABLE_S: Final = 10.0

Connect = Callable[[], AbstractAsyncContextManager[Session]]
Outcomes = Sequence[PublishError | None]


class Link:
    """Connects, sends what waits, and connects again.

    `reason` says why there is no link, None while there is one; `connects` and `failures` count attempts that
    succeeded and failed; `published` counts letters that the broker accepted.
    """

    def __init__(
        self,
        connect: Connect,
        outbox: Outbox,
        retained: Retained,
        backoff: Backoff,
        refusals: Refusals,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.reason: str | None = "The broker link is not connected yet."
        self.published = 0
        self.connects = 0
        self.failures = 0
        self._connect = connect
        self._outbox = outbox
        self._retained = retained
        self._backoff = backoff
        self._refusals = refusals
        self._sleep = sleep
        self._drained = False
        self._progress = asyncio.Condition()
        self._throttle = Throttle()

    async def run(self) -> None:
        """Hold a connection until cancelled."""
        while True:
            try:
                async with self._connect() as session:
                    await self._up()
                    await self._serve(session)
            except LifesignError as error:
                await self._down(error)
            await self._sleep(self._backoff.next_s())

    async def _up(self) -> None:
        self.reason = None
        self.connects += 1
        self._retained.again()
        log.info("broker_connected", connects=self.connects)
        await self._tell()

    async def _down(self, error: LifesignError) -> None:
        self.reason = str(error)
        self.failures += 1
        if self._throttle.may("down"):
            log.warning("broker_away", code=error.code, what=error.what, advice=error.advice)
        await self._tell()

    async def _tell(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    async def _serve(self, session: Session) -> None:
        """Send until the link drops; raises why it did."""
        started_s = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(session), name="mqtt link")
                group.create_task(self._send_alerts(session), name="mqtt alerts")
                group.create_task(self._send_retained(session), name="mqtt retained")
                group.create_task(self._refresh(), name="mqtt refresh")
        except ExceptionGroup as errors:
            _raise_first(errors)
        finally:
            if time.monotonic() - started_s > _STABLE_S:
                self._backoff.reset()

    async def _watch(self, session: Session) -> NoReturn:
        raise await session.lost()

    async def _refresh(self) -> NoReturn:
        while True:
            await asyncio.sleep(REFRESH_S)
            self._retained.again()

    async def _send_alerts(self, session: Session) -> NoReturn:
        while True:
            self._outbox.changed.clear()
            entries = await self._outbox.oldest(_WINDOW, self._refusals.held)
            self._drained = not entries
            if entries:
                await self._deliver(session, entries)
            else:
                await self._tell()
                await _either(self._outbox.changed, self._refusals.wait_s)

    async def _deliver(self, session: Session, entries: Sequence[Entry]) -> None:
        outcomes = await session.publish([entry.letter for entry in entries])
        await self._outbox.delete(_accepted(entries, outcomes))
        self._judge([entry.letter for entry in entries], outcomes)

    async def _send_retained(self, session: Session) -> NoReturn:
        while True:
            await self._retained.waiting.wait()
            letters = self._retained.oldest(_WINDOW)
            outcomes = await session.publish(letters)
            answered = [letter for letter, outcome in zip(letters, outcomes, strict=True) if _is_answer(outcome)]
            self._retained.settle(answered)
            self._judge(letters, outcomes)
            self._forget_ended(answered)
            await self._tell()

    def _judge(self, letters: Sequence[Letter], outcomes: Outcomes) -> None:
        """Count what was accepted, note what was refused; raises when the link is to blame."""
        for letter, outcome in zip(letters, outcomes, strict=True):
            if outcome is None:
                self.published += 1
                self._refusals.forget(letter.topic)
            elif isinstance(outcome, RefusedError):
                self._refuse(letter, outcome)
            else:
                raise outcome

    def _refuse(self, letter: Letter, error: RefusedError) -> None:
        self._refusals.note(letter.topic, error)
        if self._throttle.may("refused"):
            log.error("publish_refused", code=error.code, what=error.what, advice=error.advice)

    def _forget_ended(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            if not letter.payload:
                self._refusals.forget(letter.topic)

    @property
    def _idle(self) -> bool:
        """Whether nothing waits that could be sent now; alerts on hold after a refusal cannot."""
        return self._drained and not self._outbox.changed.is_set() and not self._retained.pending

    @property
    def _hopeless(self) -> bool:
        return self.reason is not None and self.failures > 0

    async def flush(self, timeout_s: float) -> bool:
        """Wait until everything is sent; False: the link is down, or the time is over. Alerts stay in the outbox."""
        try:
            async with asyncio.timeout(timeout_s), self._progress:
                await self._progress.wait_for(lambda: self._idle or self._hopeless)
        except TimeoutError:
            return False
        return self._idle

    async def connected(self, timeout_s: float) -> bool:
        """Wait for a connection."""
        try:
            async with asyncio.timeout(timeout_s), self._progress:
                await self._progress.wait_for(lambda: self.reason is None)
        except TimeoutError:
            return False
        return True


def _is_answer(outcome: PublishError | None) -> bool:
    return outcome is None or isinstance(outcome, RefusedError)


def _accepted(entries: Sequence[Entry], outcomes: Outcomes) -> list[Entry]:
    """The entries to delete: of each topic those before its first failure, so that its order survives a second try."""
    accepted: list[Entry] = []
    stopped: set[str] = set()
    for entry, outcome in zip(entries, outcomes, strict=True):
        if outcome is not None:
            stopped.add(entry.letter.topic)
        elif entry.letter.topic not in stopped:
            accepted.append(entry)
    return accepted


async def _either(event: asyncio.Event, timeout_s: float | None) -> None:
    """Wait for the event, or for the time."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return


def _raise_first(errors: ExceptionGroup[Exception]) -> NoReturn:
    """Raise the one expected error of a group, or the group when it holds anything else."""
    expected, other = errors.split(LifesignError)
    if other is not None or expected is None:
        raise errors
    first = expected.exceptions[0]
    raise first from None
