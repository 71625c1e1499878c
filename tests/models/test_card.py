# SPDX-License-Identifier: Apache-2.0
"""The card is put together by a command from what was measured."""

import json
from pathlib import Path

import pytest

from models import registry
from models.card import main, sources
from models.evaluation.predictions import Prediction, write_predictions
from tests.fakes.drawn_faces import drawn_footage, write_crops


def _row(repo: str, licence: str, identity: str) -> dict[str, str]:
    return {"repo": repo, "licence": licence, "identity": identity}


def test_sources_list_files_people_and_licences() -> None:
    """One line a source and licence."""
    lines = sources([_row("b", "MIT", "x"), _row("b", "MIT", "x"), _row("a", "CC0 1.0", "y")]).splitlines()
    assert lines[2:] == ["| a | CC0 1.0 | 1 | 1 |", "| b | MIT | 2 | 1 |"]


def test_the_card_holds_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hash, licence, sources, figures, calibration and limits; without a log there is no card."""
    write_crops(tmp_path, [drawn_footage(1, 1)])
    report = tmp_path / "report.md"
    report.write_text("- calibrated so\n")
    predictions = tmp_path / "predictions.jsonl"
    write_predictions(
        predictions,
        [
            Prediction(
                f"val/{label}/{n}.mp4", label, "M", f"p{n}", "r", "", "clean", True, (float(n),), (90.0,), (9.0,)
            )
            for n, label in enumerate(("real", "real", "swap", "swap"))
        ],
    )
    given = ["--crops", str(tmp_path), "--run", str(tmp_path), "--predictions", str(predictions)]
    given += ["--calibration", str(report)]
    assert main(given) == 1
    check = {"step": 30, "held_out_auc": 0.8, "held_out_pairs": 0.9}
    (tmp_path / "log.jsonl").write_text(json.dumps(check) + "\n")
    capsys.readouterr()
    assert main(given) == 0
    card = capsys.readouterr().out
    entry = registry.entry()
    for wanted in (entry.sha256, entry.licence, "| drawn | CC0 1.0 | 1 | 1 |", "calibrated so", "cannot see", "30 of"):
        assert wanted in card
    assert "| swap | all bona fide | 2 / 2 | 2 | 1.00" in card
