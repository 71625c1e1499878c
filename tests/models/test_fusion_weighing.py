# SPDX-License-Identifier: Apache-2.0
"""Weights that cannot tell where a film comes from, and what weighing gains."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import DataError
from models.fusion.clips import Clip, Word
from models.fusion.gains import gains, reached
from models.fusion.joined import Joined, fit
from models.fusion.paired import RIDGES, fit_pairs, fit_ridge, ridge_losses
from models.fusion.weighing import main, report


def clip(number: int, label: str, source: str, **measures: float | None) -> Clip:
    """A film of one person and one source, with what each cue measured."""
    words = {cue: Word(value, 10, float(value is not None), 0.0) for cue, value in measures.items()}
    return Clip(f"val/{label}/{number}.mp4", label, "", f"person {number}", source, alerted=False, words=words)


def crowd(seed: int = 1, people: int = 120) -> list[Clip]:
    """Three sources, of which the first makes more forgeries; `place` measures where a film comes from, `good` tells
    forgeries within every source, `twin` says what `good` says, `noise` nothing."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(people):
        place = number % 3
        forged = bool(rng.random() < (0.8, 0.4, 0.2)[place])
        good = float(rng.normal(1.5 * forged, 1.0))
        measures = {
            "detector": float(rng.normal(0.8 * forged, 1.0)),
            "good": None if number % 7 == 0 else good,
            "twin": good + float(rng.normal(0.0, 0.05)),
            "place": 3.0 * (place == 0) + float(rng.normal(0.0, 0.3)),
            "noise": float(rng.normal()),
        }
        found.append(clip(number, "swap" if forged else "real", f"source {place}", **measures))
    return found


def weights(joined: Joined) -> dict[str, float]:
    """By cue."""
    return dict(zip(joined.cues, joined.weights, strict=True))


def test_a_cue_that_knows_the_source_gets_weight_only_when_sources_are_mixed() -> None:
    """Against all films it tells forgeries by where they come from; within sources it tells nothing."""
    clips, cues = crowd(), ("detector", "good", "place")
    assert weights(fit(clips, cues))["place"] > 0.3
    found = weights(fit_pairs(clips, cues))
    assert found["place"] < 0.1 < 0.3 < found["good"]


def test_cues_that_say_the_same_share_one_weight() -> None:
    """What they say is not counted twice."""
    clips, fitted = crowd(), fit_ridge(0.03)
    one = weights(fitted(clips, ("twin",)))["twin"]
    both = weights(fitted(clips, ("good", "twin")))
    assert both["good"] + both["twin"] < 1.25 * one
    assert min(both.values()) > 0.2 * one


def test_weights_are_pulled_to_nothing_where_nothing_is_told() -> None:
    """The ridge is chosen on people left out, so noise gets the strongest pull and next to no weight."""
    losses = ridge_losses(crowd(), ("noise",))
    assert min(losses, key=lambda ridge: losses[ridge]) == max(RIDGES)
    told = weights(fit_pairs(crowd(), ("good",)))["good"]
    assert weights(fit_pairs(crowd(), ("noise",)))["noise"] < told / 3


def test_a_pair_of_which_one_film_was_not_measured_decides_nothing() -> None:
    """Its weight is that of a cue that was never measured."""
    clips = [one for one in crowd() if one.words["good"].measure is None]
    assert fit_ridge(0.1)(clips, ("good",)).weights == (0.0,)


def test_people_weigh_alike_however_many_films_they_have() -> None:
    """A person's film told twice changes nothing."""
    clips, cues = crowd(), ("detector", "good")
    again = [*clips, *(one for one in clips if one.identity == "person 5")]
    assert fit_ridge(0.1)(again, cues).weights == pytest.approx(fit_ridge(0.1)(clips, cues).weights, abs=0.02)


def test_sources_without_bona_fide_films_cannot_be_weighed() -> None:
    """Nothing is there to compare with."""
    with pytest.raises(DataError, match="of its own source"):
        fit_pairs([clip(1, "real", "a", good=0.0), clip(2, "swap", "b", good=1.0)], ("good",))


def test_gains_are_told_over_the_first_scores() -> None:
    """Scores that are right gain, by both comparisons; the first has no gain of its own."""
    clips = crowd()
    own = {"network alone": [one.words["detector"].measure or 0.0 for one in clips]}
    told = gains(clips, own | {"the truth": [float(not one.real) for one in clips]})
    lines = [line.split("|") for line in told.splitlines() if line.startswith("| the truth")]
    assert [cells[2].strip() for cells in lines] == ["1.00 [1.00, 1.00]"] * 2
    assert all(cells[-2].strip().startswith("+0.") for cells in lines)
    assert "| swap |" in told


def test_films_above_the_origin_are_counted_by_label() -> None:
    """The origin lies above the bona fide people that set it."""
    joined = Joined(("good",), (0.0,), (1.0,), (1.0,), 0.0)
    setting = [clip(number, "real", "a", good=0.01 * number) for number in range(20)]
    films = [clip(50, "real", "a", good=0.1), clip(51, "swap", "a", good=2.0), clip(52, "swap", "a", good=None)]
    assert "| one | 0 of 1 | 1 of 2 |" in reached(setting, films, {"one": joined})


@pytest.mark.timeout(120)
def test_the_report_has_all_tables() -> None:
    """Weights, ridge, both comparisons for all people and for the half that set nothing, films above the origin."""
    two = ("detector", "good")
    few = [replace(one, words={cue: one.words[cue] for cue in two}) for one in crowd(people=60)]
    told = report(few)
    heads = [line for line, under in zip(told.splitlines(), told.splitlines()[1:], strict=False) if "---" in under]
    assert [head.split("|")[1].strip() for head in heads] == [
        "weights, log odds a deviation",
        "ridge",
        *["against all", "within source"] * 2,
        "above the origin",
    ]


def test_what_is_no_scan_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line on stderr, no traceback."""
    scan, labels = tmp_path / "scan.jsonl", tmp_path / "labels.csv"
    scan.write_text(json.dumps({"event": "summary", "file": "a.mp4"}), encoding="utf-8")
    labels.write_text("path,label\n", encoding="utf-8")
    assert main([str(scan), "--labels", str(labels)]) == 1
    assert "the cues cannot be weighed" in capsys.readouterr().err
