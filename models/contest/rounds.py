# SPDX-License-Identifier: Apache-2.0
"""A start, footage and a run folder in, rounds of forger against detector out: one line of the log for each.

A round searches forgeries that pass, learns with them among its own, and is kept only if validation films say so. What
a round that was cut off had done is done again; finished rounds are read back.
"""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from models.contest.arena import Arena
from models.contest.search import search, verified
from models.contest.verdict import Standing, helped, standing
from models.data.crops import Footage
from models.errors import DataError
from models.evaluation.conditions import Condition
from models.evaluation.judging import judge
from models.learning.pool import Found, spelled_out, styled, write_pool
from models.learning.recipe import Recipe
from models.tuning import Weights, as_detector, new_stream, read_weights, served, tune, write_weights

__all__ = ["Contest", "Pace", "State"]

LOG: Final = "log.jsonl"
POOL: Final = "pool.json"
BEST: Final = "best.safetensors"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a round is: `tries` a kind, on `clips` clips; `share` of the forgeries learnt from are found ones."""

    tries: int
    clips: int
    share: float
    workers: int
    device: str


@dataclass(frozen=True, slots=True)
class State:
    """Where the contest stands: the next round's number, the best weights with their standing, the pool."""

    number: int
    weights: Weights
    standing: Standing
    pool: tuple[Found, ...]


class Contest:
    """`learnt` is footage of the training split's learnt people, `judged` the validation films that decide.

    Without `searching` no forgery is looked for: the same steps and the same choice of rounds, to compare with.
    """

    def __init__(
        self,
        run: Path,
        recipe: Recipe,
        pace: Pace,
        *,
        learnt: Sequence[Footage],
        judged: Sequence[Footage],
        conditions: Sequence[Condition],
        searching: bool,
    ) -> None:
        run.mkdir(parents=True, exist_ok=True)
        self.run, self.recipe, self.pace, self.searching = run, recipe, pace, searching
        self.learnt, self.judged, self.conditions = learnt, judged, conditions

    def begin(self, start: Callable[[], Weights]) -> State:
        """Where the run folder says that the contest stands, or a fresh one from `start`."""
        lines = _lines(self.run / LOG)
        if not lines:
            fresh = State(1, weights := start(), self.judge(weights), ())
            self._write({"round": 0, **_spelled(fresh.standing), "recipe": asdict(self.recipe)})
            return fresh
        kept = [line for line in lines if line.get("kept")]
        last = kept[-1] if kept else lines[0]
        weights = read_weights(self._weights(last["round"])) if kept else start()
        pool = tuple(spelled_out(one) for line in kept for one in line["found"])
        return State(lines[-1]["round"] + 1, weights, Standing(last["labels"], tuple(last["halves"])), pool)

    def play(self, state: State) -> State:
        """Play one round; the state afterwards is the one before, but for the number, when the round did not help."""
        started = time.monotonic()
        found = self.find(state) if self.searching else []
        pool = (*state.pool, *found)
        recipe = replace(
            self.recipe, seed=self.recipe.seed + state.number, styled=styled(pool), styled_share=self.pace.share
        )
        stream = new_stream(self.learnt, recipe, recipe.seed)
        weights = tune(state.weights, recipe, served(stream, self.pace.workers), self.pace.device).average.values
        after = self.judge(weights)
        kept = helped(state.standing, after)
        if kept:
            write_weights(self._weights(state.number), weights)
        self._write({"round": state.number, "kept": kept, **_spelled(after), "found": [asdict(one) for one in found],
                     "seconds": round(time.monotonic() - started, 1)})  # fmt: skip
        if not kept:
            return replace(state, number=state.number + 1)
        self._publish(state.number, pool)
        return State(state.number + 1, weights, after, pool)

    def find(self, state: State) -> list[Found]:
        """Search what passes the present detector, then try it on fresh clips."""
        detector = as_detector(state.weights, self.recipe, self.pace.device)
        kinds = [kind for kind, share in self.recipe.kinds if share > 0]
        seed = self.recipe.seed + 1000 * state.number
        attempts = search(Arena(detector, self.learnt, self.pace.clips, seed), kinds, self.pace.tries, seed)
        fresh = Arena(detector, self.learnt, 2 * self.pace.clips, seed + 500)
        return verified(fresh, attempts, state.number)

    def judge(self, weights: Weights) -> Standing:
        """Score weights on the validation films."""
        detector = as_detector(weights, self.recipe, self.pace.device)
        return standing(judge(detector, self.judged, self.conditions))

    def _weights(self, number: int) -> Path:
        return self.run / f"round-{number}.safetensors"

    def _publish(self, number: int, pool: tuple[Found, ...]) -> None:
        """Put the result where a user looks for it; rounds that were overtaken leave only their line in the log."""
        write_pool(self.run / POOL, pool)
        for overtaken in self.run.glob("round-*.safetensors"):
            if overtaken != self._weights(number):
                overtaken.unlink()
        shutil.copyfile(self._weights(number), self.run / BEST)

    def _write(self, values: dict[str, Any]) -> None:
        with (self.run / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(values) + "\n")


def _spelled(one: Standing) -> dict[str, Any]:
    return {"macro": round(one.macro, 4), "labels": dict(one.labels), "halves": list(one.halves)}


def _lines(file: Path) -> list[dict[str, Any]]:
    """The log's lines; one that was cut off while it was written is passed over."""
    if not file.exists():
        return []
    found = []
    for text in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(text))
        except ValueError:
            break
    if found and found[0].get("round") != 0:
        raise DataError(f"{file} is not the log of a contest: choose another folder for the run")
    return found
