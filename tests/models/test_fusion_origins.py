# SPDX-License-Identifier: Apache-2.0
"""What bona fide people reach with each cue, and on whom it speaks."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data.people import for_calibration, is_held_out
from models.errors import DataError
from models.evaluation.newcomer import newcomer
from models.fusion.origins import main, report
from models.fusion.watched import Watched, calibrates, read_watched
from models.pad.learn import Recipe

FIELDS = ("path", "label", "method", "identity", "repo", "view")
PEOPLE = [f"person {number}" for number in range(60)]
MINE = next(name for name in PEOPLE if for_calibration(name))
REPORTED = next(name for name in PEOPLE if not for_calibration(name))


def film(
    identity: str, largest: float | None, *, path: str = "val/real/a.mp4", cue: str = "flat", **told: Any
) -> Watched:
    """What a cue found on one film."""
    label = told.pop("label", "real")
    seen = {"mean": largest, "largest": largest, "measured_s": 6.0, "spoke": False, "origin": 2.5} | told
    return Watched(path, label, identity, "r", cue, **seen)


def test_one_new_person_in_a_hundred_exceeds_the_origin() -> None:
    """Drawn from a normal distribution, over many samples, as many exceed it as it says."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(4000, 21))
    above = [row[20] > newcomer(row[:20]).origin for row in draws]
    assert 0.005 < np.mean(above) < 0.015


def test_the_origin_is_never_below_anybody_seen() -> None:
    """However little the others reach; and with few people nothing is said."""
    assert newcomer([0.0] * 30 + [9.0]).origin == 9.0
    with pytest.raises(DataError, match="9 people"):
        newcomer([0.0] * 9)


def test_people_who_were_learnt_from_and_people_reported_on_set_no_origin() -> None:
    """The training films calibrate cues without weights; of `val` only the calibration half does."""
    train = "train/real/a.mp4"
    held = next(name for name in PEOPLE if is_held_out(name, Recipe().held_out_share))
    learnt = next(name for name in PEOPLE if not is_held_out(name, Recipe().held_out_share))
    assert calibrates(film(MINE, 1.0))
    assert not calibrates(film(REPORTED, 1.0))
    assert calibrates(film(learnt, 1.0, path=train))
    assert calibrates(film(held, 1.0, path=train, cue="replay"))
    assert not calibrates(film(learnt, 1.0, path=train, cue="replay"))
    assert not calibrates(film(MINE, 1.0, label="swap"))


def test_the_worst_moment_of_each_person_counts_once() -> None:
    """Two films of one person are one value; the code's own origin stands beside it."""
    people = [name for name in PEOPLE if for_calibration(name)][:12]
    films = [film(name, 0.1 * place) for place, name in enumerate(people)]
    tables = report([*films, film(people[0], 1.05), film(REPORTED, 3.0, spoke=True), film("x", 4.0, label="swap")])
    cells = [cell.strip() for cell in tables["flat"].splitlines()[2].split("|")[1:-1]]
    assert (cells[0], cells[4], cells[6]) == ("12", "1.10", "2.50")
    assert float(cells[5]) == pytest.approx(1.60, abs=0.005)
    assert "| bona fide, reported on | 1 of 1 | 1 | 3.00 |  | 1 of 1 |" in tables["flat"]
    assert "| swap | 1 of 1 | 1 | 4.00 | 1.00 | 0 of 1 |" in tables["flat"]


def test_a_cue_without_a_measure_is_told_by_whom_it_spoke_on() -> None:
    """No empty columns, and the network, which is calibrated elsewhere, is left out."""
    tables = report([film(MINE, None, cue="still", spoke=True, origin=None), film(MINE, 1.0, cue="detector")])
    assert list(tables) == ["still"]
    assert tables["still"].splitlines()[-1] == "| bona fide, calibrate | 1 of 1 |"


def written(folder: Path, lines: list[dict[str, Any]]) -> list[str]:
    """A scan, labels of one film and the page of a cue, as the command's arguments."""
    scan, labels = folder / "scan.jsonl", folder / "labels.csv"
    scan.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with labels.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, FIELDS)
        rows.writeheader()
        rows.writerow(dict(zip(FIELDS, ("val/real/a.mp4", "real", "", MINE, "r", "crop"), strict=True)))
    (folder / "flat.md").write_text(
        "# flat\n<!-- figures:begin -->\nold\n<!-- figures:end -->\nend\n", encoding="utf-8"
    )
    return [str(scan), "--labels", str(labels), "--pages", str(folder)]


def word(track: int, measure: float | None, nats: float = 0.0) -> dict[str, Any]:
    """A line of evidence."""
    known = {"measure": measure, "origin": None if measure is None else 2.5, "llr_nats": nats}
    where = {"file": "val/real/a.mp4", "cue": "flat", "track": track, "media_s": 0.0}
    return {"event": "evidence", "reliability": float(nats > 0.0)} | where | known


def test_all_faces_of_a_film_count(tmp_path: Path) -> None:
    """Whichever track speaks, it spoke on the film; looks without a measure are no time that was measured."""
    end = {"event": "summary", "file": "val/real/a.mp4"}
    scan, _, labels, *_ = written(tmp_path, [word(1, 1.0), word(1, None), word(2, 3.0, 0.5), end])
    (only,) = read_watched([Path(scan)], Path(labels))
    assert (only.mean, only.largest, only.spoke, only.origin) == (2.0, 3.0, True, 2.5)
    assert only.measured_s == pytest.approx(0.4)


def test_the_pages_are_rewritten(tmp_path: Path) -> None:
    """Between the markers and nowhere else; too few people are said to be too few."""
    assert main(written(tmp_path, [word(1, 1.0), {"event": "summary", "file": "val/real/a.mp4"}])) == 0
    page = (tmp_path / "flat.md").read_text(encoding="utf-8")
    assert "too few" in page
    assert "old" not in page
    assert page.endswith("<!-- figures:end -->\nend\n")


def test_what_is_no_scan_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line on stderr, no traceback."""
    assert main(written(tmp_path, [])) == 1
    assert "the origins cannot be told" in capsys.readouterr().err
