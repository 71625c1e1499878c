# SPDX-License-Identifier: Apache-2.0
"""From crops to every table: footage is judged in all its conditions, and the tables can be made again."""

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from models import evaluate, registry
from models.calibration import Calibration
from models.data.crops import Footage
from models.errors import DataError
from models.evaluation.aims import CALL_CONDITION, LOW_CONDITION
from models.evaluation.conditions import CONDITIONS, named
from models.evaluation.figures import figures, stills_table, survey
from models.evaluation.groups import FAMILIES, family_of, groups
from models.evaluation.judging import judge
from models.evaluation.misses import false_alarms, misses
from models.evaluation.people import people, person_key
from models.evaluation.predictions import Prediction, read_predictions
from models.evaluation.report import report
from tests.fakes.drawn_faces import drawn_footage, write_crops
from tests.fakes.predictions import predicted

PLAIN = Calibration((-2.0, 0.0, 3.0, 6.0), (0.05, 1.0, 3.0, 5.0), llr_slope=1.0, llr_origin=4.5)


class BrightnessDetector:
    """Takes a face for a forgery by how bright it is; states count the looks."""

    crop_px, samples_per_s, device, calibration = 112, 5.0, torch.device("cpu"), PLAIN

    def __init__(self, logit: float | None = None) -> None:
        self.logit = logit
        self.batches: list[int] = []

    def judge_clip(self, crops: torch.Tensor) -> torch.Tensor:
        """One logit a look."""
        means = crops.float().mean(dim=(1, 2, 3)) / 64
        return means if self.logit is None else torch.full_like(means, self.logit)

    def new_state(self, tracks: int) -> tuple[torch.Tensor, ...]:
        """Nothing is remembered."""
        return (torch.zeros(tracks, 1),)

    def step(self, crops: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[SimpleNamespace, object]:
        """One logit a track."""
        self.batches.append(len(crops))
        return SimpleNamespace(logit=self.judge_clip(crops)), state


def films(conditions: Sequence[str] = ("clean",), people: int = 12) -> list[Prediction]:
    """Bona fide and forged films of several methods, the forged ones two logits higher."""
    rng = np.random.default_rng(0)
    found = []
    for condition in conditions:
        for n in range(people):
            logits = rng.normal(0, 1, 5)
            found.append(predicted(f"val/real/{n}", *logits, pair=f"p{n}", repo=f"s{n % 3}", condition=condition))
            for label, method in (("swap", "SimSwap"), ("swap", "PRNet swap"), ("lipsync", "Wav2Lip")):
                found.append(
                    predicted(f"val/{label}/{method}{n}", *(logits + 2.0), label=label, identity=f"val/real/{n}",
                              method=method, pair=f"p{n}", repo=f"s{n % 3}", condition=condition)
                )  # fmt: skip
    return found


def footage(count: int, label: str, frames: int = 6, **row: str) -> list[Footage]:
    """Drawn footage of as many people."""
    return [
        drawn_footage(frames, n, path=f"val/{label}/{n}.mp4", label=label, split="val", **row) for n in range(count)
    ]


def test_families_hold_each_method_once() -> None:
    """No method is counted in two families; a method of none is counted with its label."""
    methods = [method for family in FAMILIES.values() for method in family]
    assert len(methods) == len(set(methods))
    assert family_of(predicted("a", 0.0, label="swap", method="SimSwap")) == "swap, network"
    assert family_of(predicted("a", 0.0, label="swap", method="PRNet swap")) == "swap, classic"
    assert family_of(predicted("a", 0.0, label="lipsync", method="IP-LAP")) == "lipsync, Wav2Lip class"
    assert family_of(predicted("a", 0.0, label="reenact", method="EDTalk")) == "reenact"


def test_groups_go_from_label_to_source() -> None:
    """By label, family, method, and method within each source; stills are no films."""
    found = {(group.kind, group.name): len(group.fakes) for group in groups(films())}
    assert found[("label", "swap")] == 24
    assert found[("family", "swap, network")] == 12
    assert found[("method", "lipsync: Wav2Lip")] == 12
    assert found[("source", "swap: SimSwap, s0")] == 4
    assert groups([predicted("still", 0.0, label="replay", film=False), predicted("real", 0.0)]) == []


def test_figures_say_when_clips_are_too_few_for_a_rate() -> None:
    """Twelve bona fide clips bear no rate of 1 % or 0.1 %; every fake lies above its own original."""
    lines = figures(survey(films())).splitlines()
    swap = next(line for line in lines if line.startswith("| swap |"))
    assert "at 0 of 12" in swap
    assert "needs 1,000 clips" in swap
    assert "1.00 [1.00, 1.00] of 24" in swap
    assert any(line.startswith("| swap: mean of 2 methods |") for line in lines)


def test_stills_are_compared_within_their_source() -> None:
    """One camera a row."""
    stills = [predicted(f"{label}{n}", score, label=label, film=False, identity="one", repo="door")
              for label, score in (("real", 0.0), ("replay", 1.0)) for n in range(3)]  # fmt: skip
    assert "| replay | door | 1 | 3 | 3 | 1.00" in stills_table(stills)
    assert stills_table(stills[:3]) == ""


def test_the_report_has_every_table() -> None:
    """Aims are judged where the condition was measured, and named as not measured where it was not."""
    text = report(films(("clean", CALL_CONDITION, LOW_CONDITION), people=6), PLAIN)
    for heading in ("Aims", "By condition", f"Condition: {LOW_CONDITION}", "Alerts and delays", "Worst misses"):
        assert f"### {heading}" in text
    assert re.search(rf"\| AUC, lipsync, Wav2Lip class, {CALL_CONDITION} \| .* \| (0.9\d|1.00) .*reached \|", text)
    assert re.search(r"\| AUC, reenact, .* \| not measured \|  \|", text)
    assert re.search(rf"\| AUC lost from clean to {LOW_CONDITION}, swap \| 0.10 \| -?0.0\d \| reached \|", text)
    assert "val/real/" not in text


def test_one_class_alone_is_refused() -> None:
    """Only bona fide, or only forged films give no figure."""
    with pytest.raises(DataError):
        report([one for one in films() if one.label == "real"], PLAIN)
    with pytest.raises(DataError):
        report([one for one in films() if one.label != "real"], PLAIN)


def test_the_worst_come_first_and_once_a_person() -> None:
    """The lowest forgery and the highest bona fide clip, with what is unusual of it; nobody is named."""
    usual = [predicted(f"r{n}", 0.1 * n) for n in range(20)]
    alarm = predicted("r99", 9.0, sharpness=(2.0,))
    fakes = [predicted(f"f{n}", 5.0 + n, label="swap", identity="same", method="M") for n in range(3)]
    fakes.append(predicted("f9", -7.0, label="swap"))
    everything = [*usual, alarm, *fakes]
    missed = misses(everything, 5)
    assert [one.prediction.path for one in missed] == ["f9", "f0"]
    assert missed[0].beyond == 1.0
    highest = false_alarms(everything, 1)[0]
    assert (highest.prediction.path, highest.odd) == ("r99", ("blurred",))
    assert "f9" not in person_key("f9")


def test_persons_most_often_scored_as_forged_come_first() -> None:
    """Looks above the score are counted over all of a person's clips."""
    reals = [predicted("a", 9.0, 9.0, -1.0, -1.0, identity="x"), predicted("b", 9.0, 9.0, identity="x"),
             predicted("c", 2.0, identity="y")]  # fmt: skip
    first, second = people(reals, PLAIN)
    assert (first.looks, first.above, second.above) == (6, pytest.approx(4 / 6), 0.0)


def test_conditions_go_by_name() -> None:
    """In the order they were asked for; an unknown one is refused."""
    assert [one.name for one in named(["vp8", "clean"])] == ["vp8", "clean"]
    with pytest.raises(DataError):
        named(["moonlight"])


def test_footage_that_went_through_a_call_is_judged_as_it_came() -> None:
    """No codec is put on top of one, and its own condition is what the tables name."""
    own = judge(BrightnessDetector(), footage(1, "real", condition=CALL_CONDITION), CONDITIONS)  # type: ignore[arg-type]
    assert [one.condition for one in own] == [CALL_CONDITION]
    plain = judge(BrightnessDetector(), footage(1, "real"), CONDITIONS)  # type: ignore[arg-type]
    assert [one.condition for one in plain] == ["clean", "vp8", "low"]
    assert plain[2].sharpness[0] < plain[0].sharpness[0]


def test_stills_are_judged_together_and_say_the_same() -> None:
    """Thirty pictures take two steps; each gets its own logit."""
    detector = BrightnessDetector()
    stills = footage(30, "real", frames=1)
    found = judge(detector, stills, named(["clean"]))  # type: ignore[arg-type]
    assert detector.batches == [24, 6]
    alone = [judge(BrightnessDetector(), [one], named(["clean"]))[0].logits for one in stills]  # type: ignore[arg-type]
    assert [one.logits for one in found] == alone


def test_a_broken_network_is_refused() -> None:
    """Logits that are no numbers never reach a table."""
    with pytest.raises(DataError):
        judge(BrightnessDetector(float("nan")), footage(1, "real"), named(["clean"]))  # type: ignore[arg-type]


@pytest.fixture
def _bright(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda *_, **__: BrightnessDetector())


@pytest.mark.usefixtures("_bright")
def test_crops_become_tables_sheets_and_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command judges every folder in its condition; from the stored predictions the same tables come again."""
    drawn = [*footage(3, "real"), *footage(3, "swap", method="SimSwap", identity="swapped")]
    write_crops(tmp_path / "clean", drawn, "val")
    called = [one for label in ("real", "swap") for one in footage(3, label, condition=CALL_CONDITION)]
    write_crops(tmp_path / "call", called, "val")
    stored, sheets = tmp_path / "stored.jsonl", tmp_path / "sheets"
    crops = ["--crops", str(tmp_path / "clean"), str(tmp_path / "call")]
    given = [*crops, "--conditions", "clean", "--out", str(stored), "--sheets", str(sheets)]
    assert evaluate.main(given) == 0
    text = capsys.readouterr().out
    assert {one.condition for one in read_predictions(stored)} == {"clean", CALL_CONDITION}
    picture = cv2.imread(str(sheets / "misses_360p_500_kbit_s.png"))
    assert picture is not None
    assert picture.shape[0] % 128 == 0
    assert evaluate.main(["--predictions", str(stored)]) == 0
    assert capsys.readouterr().out == text
    assert evaluate.main(["--predictions", str(stored), "--sheets", str(sheets)]) == 1
    assert evaluate.main(["--crops", crops[1], crops[1], "--conditions", "clean"]) == 1
