# SPDX-License-Identifier: Apache-2.0
"""Participants on a machine of so many cores; what a service would count there, a virtual second at a time."""

from monitor.config import LoadSettings
from monitor.load.guard import Guard
from monitor.load.signs import Sample
from monitor.load.threads import Work

__all__ = ["FakeMachine"]


class FakeMachine:
    """Each participant takes `loop` and `decode` cores and `look_s` of processor time a look; `noise_s` is loop lag.

    What does not fit is looks dropped. `others` cores are used by other programs, which the service cannot see.
    """

    def __init__(self, cores: float = 2.0, loop: float = 0.04, decode: float = 0.06, look_s: float = 0.055) -> None:
        self.cores = cores
        self.loop, self.decode, self.look_s = loop, decode, look_s
        self.participants = 0
        self.noise_s = 0.0
        self.others = 0.0
        self._at_s = 0.0
        self._spent_s = dict.fromkeys(Work, 0.0)
        self._looks = self._picked = 0.0

    def guard(self, usual_per_s: float = 10.0, **load: float) -> Guard:
        """A guard over this machine."""
        return Guard(LoadSettings(**load), usual_per_s, self.cores, self.sample)

    def sample(self) -> Sample:
        """What was counted up to now."""
        return Sample(
            self._at_s,
            dict(self._spent_s),
            int(self._looks),
            0.05 * self._looks,
            int(self._picked),
            int(self._picked) - int(self._looks),
            self.noise_s,
            self.participants,
            float(self.participants),
        )

    def demand(self, per_s: float) -> float:
        """Cores that all looks at this rate would take."""
        return self.participants * (self.loop + self.decode + self.look_s * per_s)

    def run(self, guard: Guard, seconds: int) -> list[int]:
        """Let time pass; the rung after each second."""
        return [self._second(guard) for _ in range(seconds)]

    def _second(self, guard: Guard) -> int:
        per_s = guard.most_per_s
        done = min(1.0, max(0.0, self.cores - self.others) / max(self.demand(per_s), 1e-9))
        looks = self.participants * per_s * done
        self._at_s += 1.0
        self._spent_s[Work.LOOP] += self.participants * self.loop * done
        self._spent_s[Work.DECODE] += self.participants * self.decode * done
        self._spent_s[Work.FACES] += looks * self.look_s
        self._looks += looks
        self._picked += self.participants * per_s
        guard.tick()
        return guard.rung
