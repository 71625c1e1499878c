# SPDX-License-Identifier: Apache-2.0
"""What resting saves and costs: calls made of looks, judged in both ways by a network that sees brightness."""

from pathlib import Path

import pytest

from monitor.config import LivenessSettings
from monitor.liveness.engine import Engine
from monitor.rates.rest import Call, Outcome, pairs, table, watch
from monitor.values import FaceLook
from tests.fakes.detector import FakeDetector
from tests.fakes.timeline import crop

DARK, BRIGHT = 0, 255
HEAD = "path,split,label,view,pair"


def film(level: int) -> list[FaceLook]:
    """Two seconds of a face of this brightness, which the fake network takes for a forgery when it is bright."""
    return [FaceLook(step / 5, (crop(step / 5, level=level),)) for step in range(10)]


def test_forgeries_are_joined_with_the_film_they_were_made_from(tmp_path: Path) -> None:
    """Only films of `val` whose original is there."""
    rows = [
        "val/real/a.mp4,val,real,crop,p1",
        "val/swap/b.mp4,val,swap,crop,p1",
        "val/swap/c.mp4,val,swap,full,p1",
        "val/swap/d.mp4,val,swap,crop,p2",
        "val/swap/e.mp4,val,swap,crop,",
        "train/real/f.mp4,train,real,crop,p2",
        "val/real_images/g.jpg,val,real,crop,p3",
    ]
    (tmp_path / "labels.csv").write_text("\n".join([HEAD, *rows]))
    assert pairs(tmp_path / "labels.csv") == [(tmp_path / "val/real/a.mp4", tmp_path / "val/swap/b.mp4")]


@pytest.mark.parametrize("resting", [False, True])
async def test_an_attack_on_somebody_clear_is_found_in_both_ways(*, resting: bool) -> None:
    """With rests fewer looks are judged before it, and all once it is noticed."""
    settings = LivenessSettings(cues=(), batch_deadline_ms=0.0)
    async with Engine(settings, lambda *_: FakeDetector()) as engine:
        found = await watch(engine, Call("call", film(DARK), film(BRIGHT)), resting=resting)
    assert found.looks == pytest.approx(750, abs=2)
    assert found.false_alerts == 0
    assert found.delay_s is not None
    assert 2.0 < found.delay_s < 20.0
    assert (found.calm_judged < found.calm_looks) is resting
    assert found.judged - found.calm_judged >= found.looks - found.calm_looks - 10


def test_the_table_tells_saving_and_delay_together() -> None:
    """An attack that only one way alerts counts there, and not in the difference."""
    every = [Outcome(450, 450, 150, 150, 0, 10.0), Outcome(450, 450, 150, 150, 0, 12.0)]
    resting = [Outcome(450, 300, 150, 75, 0, 11.0), Outcome(450, 300, 150, 75, 1, None)]
    told = table({"every look": every, "resting": resting})
    assert "| looks judged before the attack | 100% | 50% |" in told
    assert "| attacks alerted | 2 | 1 |" in told
    assert "| alerts before the attack | 0 | 1 |" in told
    assert told.endswith("on average +1.0 s, from +1.0 to +1.0 s; raised only without rests 1, only with rests 0.")
