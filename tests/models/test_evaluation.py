# SPDX-License-Identifier: Apache-2.0
"""Predictions are made as in a call, kept in a file, and read from a scan; counts give honest intervals."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from models.evaluate import main
from models.evaluation.judging import sampled
from models.evaluation.metrics import expected_calibration_error, hourly_rate, pair_share, wilson
from models.evaluation.predictions import read_predictions, write_predictions
from models.evaluation.scan import read_scan
from tests.fakes.predictions import predicted


def test_wilson_by_hand() -> None:
    """Zero of ten is not zero: up to 28 % (Newcombe 1998)."""
    none = wilson(0, 10)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.2775, abs=1e-3)
    half = wilson(5, 10)
    assert (half.low, half.high) == (pytest.approx(0.2366, abs=1e-3), pytest.approx(0.7634, abs=1e-3))


def test_hourly_rate_by_hand() -> None:
    """No alert in an hour leaves up to three an hour; two leave 0.24 to 7.2 (Garwood 1936); no time leaves anything."""
    assert hourly_rate(0, 1.0).high == pytest.approx(math.log(20))
    two = hourly_rate(2, 1.0)
    assert (two.value, two.low, two.high) == (2.0, pytest.approx(0.2422, abs=1e-3), pytest.approx(7.2247, abs=1e-3))
    assert hourly_rate(2, 10.0).high == pytest.approx(0.72247, abs=1e-4)
    assert hourly_rate(0, 0.0).high == math.inf


def test_pairs_and_calibration_error_by_hand() -> None:
    """Ties count half; stated .9 where half are forged is a gap of .4; weights change who counts."""
    assert pair_share([1, 2, 3, 0], [0, 3, 3, -1]) == pytest.approx((1 + 0 + 0.5 + 1) / 4)
    stated, forged = np.full(10, 0.9), np.array([True, False] * 5)
    assert expected_calibration_error(stated, forged, bins=1) == pytest.approx(0.4)
    assert expected_calibration_error(stated, forged, np.array([9.0, 1.0] * 5), bins=1) == pytest.approx(0.0)


def test_frames_are_taken_at_the_detectors_rate() -> None:
    """Ten looks a second become five; a slower film keeps all of its own."""
    assert sampled(np.arange(20, dtype=np.float32) / 10, 5.0) == list(range(0, 20, 2))
    assert sampled(np.arange(5, dtype=np.float32) / 3, 5.0) == list(range(5))


def test_predictions_survive_their_file(tmp_path: Path) -> None:
    """What is written is read again, with everything the tables need."""
    file = tmp_path / "predictions.jsonl"
    write_predictions(file, [predicted("real1", 0.25, 0.5), predicted("fake1", 0.5, label="swap", method="M")])
    one, other = read_predictions(file)
    assert (one.path, one.score, one.times_s, one.lasting_s) == ("real1", 0.375, (0.0, 0.2), pytest.approx(0.4))
    assert (other.label, other.method, other.kbit_s, other.brightness) == ("swap", "M", 300.0, 0.5)


def test_predictions_of_an_older_file_are_read(tmp_path: Path) -> None:
    """Fields that were not kept then are unknown, and looks are taken to be a fifth of a second apart."""
    file = tmp_path / "predictions.jsonl"
    write_predictions(file, [predicted("real1", 0.25, 0.5)])
    row = json.loads(file.read_text())
    for name in ("media_s", "weight", "seconds", "brightness", "kbit_s", "looked"):
        del row[name]
    file.write_text(json.dumps(row))
    (one,) = read_predictions(file)
    assert (one.times_s, one.seconds) == ((0.0, 0.2), None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[1]\n",
        "not json\n",
        '{"path": "a", "label": "real", "method": "", "identity": "a", "repo": "r", "pair": "", "condition": "clean", '
        '"film": true, "logits": [NaN], "face_px": [90.0], "sharpness": [9.0]}\n',
        '{"path": "a", "label": "real", "method": "", "identity": "a", "repo": "r", "pair": "", "condition": "clean", '
        '"film": true, "logits": [], "face_px": [], "sharpness": []}\n',
        '{"path": "a", "label": "real", "method": "", "identity": "a", "repo": "r", "pair": "", "condition": "clean", '
        '"film": true, "logits": [1.0, 2.0], "face_px": [90.0], "sharpness": [9.0]}\n',
    ],
    ids=["empty", "no fields", "no object", "no json", "not a number", "no looks", "looks without sizes"],
)
def test_unusable_predictions_are_refused(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With one line that says why, and exit 1."""
    file = tmp_path / "predictions.jsonl"
    file.write_text(text)
    with pytest.raises(DataError):
        read_predictions(file)
    assert main(["--predictions", str(file)]) == 1
    captured = capsys.readouterr()
    assert "evaluation failed" in captured.err
    assert not captured.out


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
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- detection:begin -->old<!-- detection:end -->\nafter\n")
    assert main(["--scan", str(scan), "--labels", str(labels), "--readme", str(readme)]) == 0
    assert "| swap | all bona fide | 1 / 1 | 2 | 1.00" in capsys.readouterr().out
    assert "| swap | all" in readme.read_text()
    assert "swap: M" not in readme.read_text()
    assert main(["--scan", str(scan)]) == 1


def test_nothing_named_is_refused() -> None:
    """Neither crops nor predictions nor a scan, and a condition nobody knows."""
    assert main([]) == 1
    assert main(["--crops", "nowhere", "--conditions", "moonlight"]) == 1
