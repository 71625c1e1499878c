# SPDX-License-Identifier: Apache-2.0
"""The card is put together by a command from what was measured."""

import json
from pathlib import Path

import pytest

from models import registry
from models.card import main, recipe_lines, sources
from models.evaluation.predictions import write_predictions
from tests.fakes.drawn_faces import drawn_footage, write_crops
from tests.fakes.predictions import predicted


def _row(repo: str, licence: str, identity: str) -> dict[str, str]:
    return {"repo": repo, "licence": licence, "identity": identity}


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """Arguments for a card of which only the run's log is missing."""
    write_crops(tmp_path, [drawn_footage(1, 1)])
    (tmp_path / "report.md").write_text("- calibrated so\n")
    predictions = tmp_path / "predictions.jsonl"
    write_predictions(
        predictions,
        [predicted(f"val/{label}/{n}.mp4", float(n), label=label, method="M" if label == "swap" else "")
         for n, label in enumerate(("real", "real", "swap", "swap"))],
    )  # fmt: skip
    return ["--crops", str(tmp_path), "--run", str(tmp_path), "--predictions", str(predictions),
            "--calibration", str(tmp_path / "report.md")]  # fmt: skip


def test_sources_list_files_people_and_licences() -> None:
    """One line a source and licence."""
    lines = sources([_row("b", "MIT", "x"), _row("b", "MIT", "x"), _row("a", "CC0 1.0", "y")]).splitlines()
    assert lines[2:] == ["| a | CC0 1.0 | 1 | 1 |", "| b | MIT | 2 | 1 |"]


def test_any_recipe_can_be_spelled_out() -> None:
    """Numbers, switches, shares by kind and shapes, however they are nested."""
    lines = recipe_lines(
        {
            "head_rate": 0.001,
            "codec": True,
            "kinds": (("self_blend", 0.5), ("mouth", 0.5)),
            "shapes": ({"pairs": 8, "films": False}, {"pairs": 40, "films": True}),
            "styled": (),
        }
    ).splitlines()
    assert lines == [
        "- head rate: 0.001",
        "- codec: yes",
        "- kinds: self blend 0.5; mouth 0.5",
        "- shapes: pairs 8, films no; pairs 40, films yes",
        "- styled: none",
    ]


def test_without_a_check_there_is_no_card(given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that logged nothing, nothing of use, or no JSON is refused with one line and exit 1."""
    assert main(given) == 1
    for text in ("", '{"step": 30}\n', "broken\n"):
        (tmp_path / "log.jsonl").write_text(text)
        assert main(given) == 1
    captured = capsys.readouterr()
    assert "no card" in captured.err
    assert not captured.out


def test_the_card_holds_what_was_measured(given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hash, licence, sources, recipe, figures, calibration, limits, and what is not known."""
    check = {"step": 30, "held_out_auc": 0.8, "held_out_pairs": 0.9}
    (tmp_path / "log.jsonl").write_text(
        json.dumps({"recipe": {"moon_phase": "full"}}) + "\n" + json.dumps(check) + "\n"
    )
    assert main(given) == 0
    card = capsys.readouterr().out
    entry = registry.entry()
    assert card.startswith(f"# {entry.name}\n")
    for wanted in (entry.sha256, entry.licence, "| drawn | CC0 1.0 | 1 | 1 |", "calibrated so", "| step | 30 |",
                   "| held out auc | 0.8 |", "moon phase: full", "cannot see", "Of whom nothing is known"):  # fmt: skip
        assert wanted in card
    assert "| swap | 2 / 2 | 1.00" in card
    assert "What each part is worth" not in card


def test_the_weights_of_a_contest_have_a_card_too(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its last round that was kept, with the recipe that it played by."""
    rounds = [
        {"round": 0, "macro": 0.5, "recipe": {"moon_phase": "full"}},
        {"round": 1, "kept": True, "macro": 0.6},
        {"round": 2, "kept": False, "macro": 0.4},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in rounds))
    assert main(given) == 0
    card = capsys.readouterr().out
    for wanted in ("| round | 1 |", "| macro | 0.6 |", "moon phase: full", "somewhat optimistic"):
        assert wanted in card


def test_ablation_and_folds_are_put_in_when_they_were_measured(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each under its own heading."""
    (tmp_path / "log.jsonl").write_text('{"step": 30, "held_out_auc": 0.8}\n')
    (tmp_path / "ablation.md").write_text("| without codec | 0.6 |\n")
    (tmp_path / "folds.md").write_text("| fold 1 | 0.7 |\n")
    assert main([*given, "--ablation", str(tmp_path / "ablation.md"), "--folds", str(tmp_path / "folds.md")]) == 0
    card = capsys.readouterr().out
    assert "## What each part is worth\n\n| without codec | 0.6 |" in card
    assert "by folds\n\n| fold 1 | 0.7 |" in card
