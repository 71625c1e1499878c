# SPDX-License-Identifier: Apache-2.0
"""Calls and their participants in; the process that each call lives in out; pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Placement", "shares"]

MISSES: Final = 2
"""Reports without a participant after which they are gone: one may have been sent before they came."""


@dataclass(slots=True)
class _Call:
    """A call's process; participants with the reports that may still miss them; how many are being let in."""

    process: int
    here: dict[str, int] = field(default_factory=dict)
    entering: Counter[str] = field(default_factory=Counter)


class Placement:
    """Which process each call lives in: all its participants in one, a new call where fewest participants are.

    `pins` holds the calls that one process pulls from a media server: they are never placed elsewhere.
    """

    def __init__(self, processes: int, pins: Mapping[str, int] | None = None) -> None:
        self._up: set[int] = set()
        self._processes = processes
        self._pins = pins or {}
        self._calls: dict[str, _Call] = {}

    @property
    def participants(self) -> int:
        """Participants here or being let in."""
        return sum(self.load(process) for process in range(self._processes))

    def __contains__(self, name: tuple[str, str]) -> bool:
        call = self._calls.get(name[0])
        return call is not None and name[1] in call.here

    def load(self, process: int) -> int:
        """Participants of one process, here or being let in."""
        calls = [call for call in self._calls.values() if call.process == process]
        return sum(len(call.here.keys() | call.entering.keys()) for call in calls)

    def find(self, call: str) -> int | None:
        """The process a call lives in, None when it lives in none."""
        found = self._calls.get(call)
        return None if found is None else found.process

    def any(self) -> int | None:
        """The process with the fewest participants, None when none is up."""
        return min(self._up, key=lambda process: (self.load(process), process), default=None)

    def enter(self, call: str, participant: str) -> int | None:
        """The process that is to let a participant in; `entered` must follow. None when there is none now."""
        found = self._calls.get(call)
        process = found.process if found else self._pins.get(call, self.any())
        if process is None or process not in self._up:
            return None
        self._calls.setdefault(call, _Call(process)).entering[participant] += 1
        return process

    def entered(self, call: str, participant: str, process: int, *, let_in: bool) -> None:
        """Whether the process that `enter` gave let the participant in; nothing if it has been lost since."""
        found = self._calls.get(call)
        if found is None or found.process != process or participant not in found.entering:
            return
        found.entering[participant] -= 1
        found.entering += Counter()
        if let_in:
            found.here[participant] = MISSES
        self._tidy(call)

    def report(self, process: int, names: Iterable[tuple[str, str]]) -> None:
        """Who is in a process, by its own word."""
        told = set(names)
        for call, participant in told:
            found = self._calls.setdefault(call, _Call(process))
            if found.process == process:
                found.here[participant] = MISSES
        for call in [call for call, found in self._calls.items() if found.process == process]:
            here = self._calls[call].here
            missed = {who: left if (call, who) in told else left - 1 for who, left in here.items()}
            self._calls[call].here = {who: left for who, left in missed.items() if left > 0}
            self._tidy(call)

    def began(self, process: int) -> None:
        """A process takes calls from now on."""
        self._up.add(process)

    def down(self, process: int) -> None:
        """A process takes no calls any more; those it had wait for their last word, and nobody enters them."""
        self._up.discard(process)

    def lost(self, process: int) -> None:
        """A process is gone, and its calls with it."""
        self.down(process)
        self._calls = {name: call for name, call in self._calls.items() if call.process != process}

    def _tidy(self, call: str) -> None:
        found = self._calls[call]
        if not found.here and not found.entering:
            del self._calls[call]


def shares(calls: Iterable[str], processes: int) -> dict[str, int]:
    """Calls that are known beforehand, dealt out evenly: the process of each, the call with most entries first."""
    loads = [0] * processes
    dealt: dict[str, int] = {}
    for call, entries in Counter(calls).most_common():
        dealt[call] = loads.index(min(loads))
        loads[dealt[call]] += entries
    return dealt
