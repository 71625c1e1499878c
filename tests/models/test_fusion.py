# SPDX-License-Identifier: Apache-2.0
"""What each cue of a scan is worth, alone and together."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import DataError
from models.fusion.__main__ import main
from models.fusion.clips import Clip, Word, read_clips
from models.fusion.joined import fit, out_of_fold
from models.fusion.table import report

FIELDS = ("path", "label", "method", "identity", "repo", "view")


def clip(number: int, label: str, **measures: float | None) -> Clip:
    """A film of one person, with what each cue measured."""
    words = {
        cue: Word(value, 10, 0.0 if value is None else 1.0, float((value or 0.0) > 2.0))
        for cue, value in measures.items()
    }
    return Clip(f"val/{label}/{number}.mp4", label, "", f"person {number}", "r", alerted=False, words=words)


def crowd(seed: int = 1) -> list[Clip]:
    """Bona fide people and swaps: the detector tells a little, `good` more but not always, `noise` nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(160):
        forged = number % 2 == 1
        detector, good, noise = rng.normal((0.8 * forged, 2.0 * forged, 0.0), 1.0)
        found.append(
            clip(
                number,
                "swap" if forged else "real",
                detector=detector,
                good=None if number % 5 == 0 else good,
                noise=noise,
            )
        )
    return found


def test_a_cue_that_tells_gets_weight_and_noise_gets_little() -> None:
    """Weights are never negative; a cue that points the wrong way gets none."""
    clips = crowd()
    weights = dict(zip(("detector", "good", "noise"), fit(clips, ("detector", "good", "noise")).weights, strict=True))
    assert weights["good"] > weights["detector"] > 0.2
    assert 0.0 <= weights["noise"] < weights["good"] / 3
    turned = [clip(n, one.label, good=-(one.words["good"].measure or 0.0)) for n, one in enumerate(clips)]
    assert fit(turned, ("good",)).weights == (0.0,)


def test_a_missing_cue_shifts_nothing() -> None:
    """A film on which a cue abstained is scored as if the cue were not there."""
    joined = fit(crowd(), ("detector", "good"))
    silent, absent = clip(500, "real", detector=0.4, good=None), clip(501, "real", detector=0.4)
    assert joined.score(silent) == joined.score(absent)


def test_nobody_is_scored_by_weights_fitted_on_them() -> None:
    """A person's score does not change with the label of that person's own film."""
    clips = crowd()
    before = out_of_fold(clips, ("detector", "good"))
    forged = clip(0, "swap", detector=clips[0].words["detector"].measure, good=None)
    assert out_of_fold([forged, *clips[1:]], ("detector", "good"))[0] == before[0]


def test_the_table_says_what_a_cue_adds() -> None:
    """The fusion beats the detector alone, and leaving the good cue out costs what it brought."""
    lines = report(crowd()).splitlines()
    gain = next(line for line in lines if line.startswith("| all cues"))
    (loss,) = [line for line in lines if line.startswith("| all but good")]
    assert gain.split("|")[-2].strip().startswith("+0.")
    assert loss.split("|")[-2].strip().startswith("-0.")
    assert any(line.startswith("| good | 20% |") for line in lines)


def test_one_side_alone_cannot_be_weighed() -> None:
    """Without bona fide films, or without attacks, there is nothing to fit."""
    with pytest.raises(DataError, match="both needed"):
        fit([one for one in crowd() if one.real], ("detector",))


def written(folder: Path, lines: list[dict[str, Any]]) -> tuple[Path, Path]:
    """A scan's output and labels as files."""
    scan, labels = folder / "scan.jsonl", folder / "labels.csv"
    scan.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with labels.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, FIELDS)
        rows.writeheader()
        for name, view in (("a.mp4", "crop"), ("whole.mp4", "full"), ("b.mp4", "crop")):
            rows.writerow(dict(zip(FIELDS, (f"val/real/{name}", "real", "", name, "r", view), strict=True)))
    return scan, labels


def word(
    file: str, track: int, cue: str, measure: float | None, nats: float = 0.0, at_s: float = 0.0
) -> dict[str, Any]:
    """A line of evidence."""
    reliability = 0.0 if measure is None else 0.8
    return {"event": "evidence", "file": file, "cue": cue, "track": track, "media_s": at_s, "llr_nats": nats,
            "reliability": reliability, "measure": measure, "score": None, "kinds": {}, "sentence": "x"}  # fmt: skip


def said(file: str, measures: list[float | None], nats: float = 0.0) -> list[dict[str, Any]]:
    """A film's evidence, five looks a second, and its summary."""
    words = [word(file, 2, "detector", value, nats, 7.0 + index / 5) for index, value in enumerate(measures)]
    return [*words, {"event": "summary", "file": file, "first_alert_s": 4.0 if nats else None}]


def test_evidence_is_read_film_by_film(tmp_path: Path) -> None:
    """The most seen face counts, whole-frame copies and unknown files do not; shares are over its looks."""
    name = "/somewhere/val/real/a.mp4"
    lines = [
        word(name, 1, "detector", 9.0),
        *said(name, [1.0, 2.0, None, 3.0, 2.0], 0.5),
        *said("val/real/whole.mp4", [1.0] * 5),
        {"event": "error", "file": "val/real/b.mp4"},
        *said("other.mp4", [1.0] * 5),
    ]
    (only,) = read_clips(*written(tmp_path, lines), 1.0)
    assert (only.path, only.alerted) == ("val/real/a.mp4", True)
    assert only.words["detector"] == Word(2.0, 5, 0.8, 0.8)


def test_films_are_compared_over_the_same_time(tmp_path: Path) -> None:
    """Only the first seconds of a film count, and a shorter film is left out."""
    lines = [*said("val/real/a.mp4", [1.0] * 10 + [9.0] * 10), *said("val/real/b.mp4", [1.0] * 9)]
    (only,) = read_clips(*written(tmp_path, lines), 2.0)
    assert only.path == "val/real/a.mp4"
    assert only.words["detector"] == Word(1.0, 10, 1.0, 0.0)


@pytest.mark.parametrize("text", ["", "{}", "[1]\n", "no json\n", '{"event": "evidence"}\n'])
def test_what_is_no_scan_is_refused_in_one_line(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line on stderr, no traceback."""
    scan, labels = written(tmp_path, [])
    scan.write_text(text, encoding="utf-8")
    assert main([str(scan), "--labels", str(labels)]) == 1
    assert "the cues cannot be weighed" in capsys.readouterr().err
