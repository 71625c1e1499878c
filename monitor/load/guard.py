# SPDX-License-Identifier: Apache-2.0
"""A sample a second in; the looks that each participant may have, and whom there is no room for, out."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from monitor.config import LoadSettings
from monitor.load.costs import Cost, Costs, Room
from monitor.load.ladder import Ladder, rates
from monitor.load.signs import Sample, Sign, signs
from monitor.load.threads import Work

__all__ = ["Guard"]

EVERY_S: Final = 1.0

log = structlog.get_logger()


class Guard:
    """Steps looks down while the service is overloaded and refuses whoever would not fit at the fewest.

    `take` gives what was counted so far, here or in other processes; `cores` may be used, `usual_per_s` looks a second
    are what is configured. With `load.enabled` off it measures and changes nothing.
    """

    def __init__(self, settings: LoadSettings, usual_per_s: float, cores: float, take: Callable[[], Sample]) -> None:
        self._settings = settings
        self.allowed_cores = cores
        self._take = take
        per_s = rates(usual_per_s, settings.least_samples_per_s)
        self._least_per_s = per_s[-1]
        self._ladder = Ladder(per_s, settings.down_after_s, settings.up_after_s)
        self._room = Room(cores * settings.budget, settings.budget)
        self._costs = Costs()
        self._sample = take()
        self.signs: Mapping[Sign, float] = dict.fromkeys(Sign, 0.0)
        """How near to overload the service was in the last second, by what tells of it."""
        self.cores: Mapping[Work, float] = dict.fromkeys(Work, 0.0)
        """Processor time of the last second, by what it went to."""

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.tick()

    def tick(self) -> None:
        """Take a sample; two are to be some time apart."""
        before, now = self._sample, self._take()
        seconds = now.at_s - before.at_s
        if seconds <= 0.0:
            return
        self._sample = now
        self._costs.step(before, now)
        self.signs = signs(before, now, self.allowed_cores, self._settings.budget)
        self.cores = {work: (total - before.spent_s.get(work, 0.0)) / seconds for work, total in now.spent_s.items()}
        if self._settings.enabled:
            self._act(now)

    def _act(self, now: Sample) -> None:
        rung = self.rung
        # An empty service has nothing to spare, whatever other programs do to the machine.
        if self._ladder.step(now.at_s, self.load) if now.participants else self._ladder.rest():
            self._say(fewer=self.rung > rung)

    @property
    def load(self) -> float:
        """The worst sign: above 1 is overload."""
        return max(self.signs.values())

    @property
    def rung(self) -> int:
        """How many steps down."""
        return self._ladder.rung

    @property
    def most_per_s(self) -> float:
        """Looks a second that each participant may have now."""
        return self._ladder.most_per_s

    @property
    def cost(self) -> Cost:
        """What a 480p participant costs at the rate of now."""
        return self._costs.at(self.most_per_s)

    def places(self, sessions: int) -> int:
        """How many more participants fit, at the fewest looks, beside so many who are here or on their way.

        Whoever is not measured yet counts as an average participant, so offers answered at once do not share a place.
        """
        if self._ladder.refusing:
            return 0
        here = self._sample
        mean = here.units / here.participants if here.participants else 1.0
        expected = here.units + max(0, sessions - here.participants) * mean
        fit = self._room.holds(self._costs.at(self._least_per_s))
        return max(0, math.floor((fit - expected) / mean))

    def refusal(self, sessions: int) -> str | None:
        """Why nobody more is taken in beside so many who are here or on their way; None: there is room."""
        if not self._settings.enabled:
            return None
        if self._ladder.refusing:
            return "The service is overloaded, with looks as few as they may be."
        if not self.places(sessions):
            return "There is no processor time for another participant, even with looks as few as they may be."
        return None

    def words(self, sessions: int) -> str:
        """Where the service stands, in one line."""
        used = sum(self.cores.values())
        places = f"room for {self.places(sessions)} more" if self._settings.enabled else "load is not acted upon"
        return (
            f"{sessions} participants, {used:.2f} of {self._room.cores:.2f} cores used, load {self.load:.2f}, "
            f"up to {self.most_per_s:g} looks a second each, {places}"
        )

    def _say(self, *, fewer: bool) -> None:
        sign = max(self.signs, key=lambda each: self.signs[each])
        told = {"samples_per_s": self.most_per_s, "refusing": self._ladder.refusing, "load": round(self.load, 2)}
        say = log.warning if fewer else log.info
        say("looks_thinned" if fewer else "looks_restored", **told, sign=sign.value)
