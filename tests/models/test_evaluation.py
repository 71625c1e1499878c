# SPDX-License-Identifier: Apache-2.0
"""Figures are what a hand gets, and people count, not clips."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from models.evaluate import main, report
from models.evaluation.metrics import Scored, auc, auc_interval, expected_calibration_error, pair_share, wilson
from models.evaluation.predictions import Prediction, read_predictions, sampled, write_predictions
from models.evaluation.scan import read_scan
from models.evaluation.tables import groups


def predicted(path: str, score: float, label: str = "real", identity: str = "", **fields: str) -> Prediction:
    """A film with one look."""
    values = {"method": "", "repo": "r", "pair": "", "condition": "clean"} | fields
    return Prediction(
        path=path, label=label, identity=identity or path, film=True, logits=(score,), face_px=(90.0,),
        sharpness=(10.0,), **values,
    )  # fmt: skip


def test_auc_by_hand() -> None:
    """Of the four comparisons two are won, one is a tie, one is lost."""
    fakes = [Scored("a", 0.9), Scored("b", 0.4)]
    reals = [Scored("c", 0.4), Scored("d", 0.7)]
    assert auc(fakes, reals) == pytest.approx((1 + 1 + 0.5 + 0) / 4)


def test_people_weigh_the_same() -> None:
    """A person with nine clips counts as much as one with a single clip."""
    fakes = [Scored("a", 1.0)] * 9 + [Scored("b", -1.0)]
    assert auc(fakes, [Scored("c", 0.0)]) == pytest.approx(0.5)


def test_interval_holds_the_value_and_is_wide_for_few_people() -> None:
    """One person gives no certainty, many give some."""
    rng = np.random.default_rng(0)
    few = auc_interval(
        [Scored(f"f{n}", rng.normal(1)) for n in range(4)], [Scored(f"r{n}", rng.normal()) for n in range(4)]
    )
    many = auc_interval(
        [Scored(f"f{n}", rng.normal(1)) for n in range(200)], [Scored(f"r{n}", rng.normal()) for n in range(200)]
    )
    assert few.low <= few.value <= few.high
    assert many.high - many.low < few.high - few.low
    assert many.low < 0.76 < many.high


def test_wilson_by_hand() -> None:
    """Zero of ten is not zero: up to 28 % (Newcombe 1998)."""
    none = wilson(0, 10)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.2775, abs=1e-3)
    half = wilson(5, 10)
    assert (half.low, half.high) == (pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3))


def test_pairs_and_calibration_error_by_hand() -> None:
    """Ties count half; stated .9 and true .5 is a gap of .4."""
    assert pair_share([1, 2, 3, 0], [0, 3, 3, -1]) == pytest.approx((1 + 0 + 0.5 + 1) / 4)
    stated, forged = np.full(10, 0.9), np.array([True, False] * 5)
    assert expected_calibration_error(stated, forged) == pytest.approx(0.4 + 0.1, abs=0.11)


def test_groups_compare_within_a_source_too() -> None:
    """A method is set against all bona fide clips, and against those of its own source."""
    rows = [
        predicted("real1", 0.1, repo="a"), predicted("real2", 0.2, repo="a"), predicted("real3", 0.9, repo="b"),
        predicted("fake1", 0.8, "swap", method="M", repo="a"),
    ]  # fmt: skip
    found = {(group.name, group.against): len(group.reals) for group in groups(rows)}
    assert found == {("swap", "all bona fide"): 3, ("swap: M", "all bona fide"): 3, ("swap: M", "a"): 2}


def test_report_counts_fakes_above_their_own_original() -> None:
    """Joined by the pair's key."""
    rows = [
        predicted("real1", 0.1, pair="p1"), predicted("real2", 0.9, pair="p2"),
        predicted("fake1", 0.8, "swap", pair="p1", method="M"), predicted("fake2", 0.8, "swap", pair="p2", method="M"),
    ]  # fmt: skip
    line = next(line for line in report(rows).splitlines() if line.startswith("| swap |"))
    assert "0.50 of 2" in line
    assert "| 2 / 2 | 2 |" in line


def test_frames_are_taken_at_the_detectors_rate() -> None:
    """Ten looks a second become five; a slower film keeps all of its own."""
    assert sampled(np.arange(20, dtype=np.float32) / 10, 5.0) == list(range(0, 20, 2))
    assert sampled(np.arange(5, dtype=np.float32) / 3, 5.0) == list(range(5))


def test_predictions_survive_their_file(tmp_path: Path) -> None:
    """What is written is read again; anything else is refused with one line and exit 1."""
    file = tmp_path / "predictions.jsonl"
    rows = [predicted("real1", 0.25), predicted("fake1", 0.5, "swap")]
    write_predictions(file, rows)
    again = read_predictions(file)
    assert [(one.path, one.score, one.label) for one in again] == [("real1", 0.25, "real"), ("fake1", 0.5, "swap")]
    file.write_text("{}\n")
    with pytest.raises(DataError):
        read_predictions(file)
    assert main(["--predictions", str(file)]) == 1


def test_a_scan_is_joined_with_the_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are known by the end of their path; abstentions and alerts are counted, other events skipped."""
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "path,label,method,identity,repo,pair\n"
        "val/real/a.mp4,real,,a,r,p\nval/real/b.mp4,real,,b,r,\nval/swap/c.mp4,swap,M,c,r,p\nval/swap/d.mp4,swap,M,d,r,\n"
    )
    scores = {"real/a": 0.1, "real/b": 0.3, "swap/c": 0.9, "swap/d": None}
    lines = [{"event": "verdict"}] + [
        {
            "event": "summary",
            "file": f"/somewhere/val/{name}.mp4",
            "score": score,
            "state": "alert" if score == 0.9 else "clear",
        }
        for name, score in scores.items()
    ]
    lines.append({"event": "summary", "file": "/elsewhere/x.mp4", "score": 0.5, "state": "clear"})
    scan = tmp_path / "scan.jsonl"
    scan.write_text("\n".join(json.dumps(line) for line in lines))
    found, counts = read_scan(scan, labels)
    assert [one.score for one in found] == [0.1, 0.3, 0.9]
    assert counts == {"judged": 3, "abstained": 1, "alerted": 1, "alerted_real": 0, "real": 2, "unknown": 1}
    assert main(["--scan", str(scan), "--labels", str(labels)]) == 0
    assert "| swap | all bona fide | 1 / 1 | 2 | 1.00" in capsys.readouterr().out
    assert main(["--scan", str(scan)]) == 1
