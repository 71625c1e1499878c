# SPDX-License-Identifier: Apache-2.0
"""The contest: what passes is found and tried again, a round that does not help leaves no trace but its line."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.contest import __main__ as command
from models.contest import arena as arena_module
from models.contest import rounds, search
from models.contest.arena import Arena, Attempt, Bout, surviving
from models.contest.report import report
from models.contest.rounds import Contest, Pace
from models.contest.search import cost, verified
from models.contest.verdict import Standing, helped, standing
from models.data.batches import Shape
from models.data.crops import Footage
from models.data.people import for_calibration
from models.errors import DataError
from models.evaluation.conditions import named
from models.evaluation.predictions import Prediction
from models.forgeries.clip import Forged
from models.forgeries.style import PLAIN, Style
from models.learning.pool import Found, read_pool, styled, write_pool
from models.learning.recipe import Recipe
from models.networks.stream import StreamNetwork
from models.tuning import as_detector, read_weights, write_weights
from tests.fakes.drawn_faces import drawn_footage, write_crops

SMALL = replace(
    Recipe(),
    crop_px=112,
    steps=1,
    shapes=(Shape(2, 2, films=True),),
    held_out_share=0.0,
    kinds=(("self_blend", 0.7), ("low_resolution", 0.3), ("drift", 0.0)),
)
PACE = Pace(tries=2, clips=2, share=0.5, workers=0, device="cpu")
FOUND = Found("self_blend", Style(colour=0.3), 0.5, 0.75, 0.25, 1)


def _lively() -> StreamNetwork:
    """A network that learnt nothing, but whose answer depends on the picture."""
    torch.manual_seed(3)
    network = StreamNetwork(112)
    for part in network.backbone.modules():
        if isinstance(part, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(part.weight)
    torch.nn.init.normal_(network.moving.weight, std=0.5)
    return network


@pytest.fixture(scope="module")
def people() -> list[Footage]:
    """Drawn people in films."""
    return [drawn_footage(4, seed) for seed in range(4)]


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Of a network that learnt nothing."""
    return dict(_lively().state_dict())


def _judged() -> list[Footage]:
    row = {"split": "val"}
    reals = [replace(drawn_footage(2, n), row=drawn_footage(1, n, **row).row) for n in range(20, 26)]
    return reals + [drawn_footage(2, n, label="swap", method="A", path=f"val/swap/{n}.mp4") for n in range(30, 36)]


def test_the_arena_is_the_same_for_every_attempt(people: list[Footage], weights) -> None:
    """The same attempt goes the same way twice; another style goes another way."""
    arena = Arena(as_detector(weights, SMALL), people, 3, 7)
    first = arena.hold(Attempt("self_blend", PLAIN, 0.5))
    assert first == arena.hold(Attempt("self_blend", PLAIN, 0.5))
    assert first != arena.hold(Attempt("self_blend", Style(colour=2.0, displacement=2.0), 0.5))
    assert 0.0 <= first.passed <= 1.0
    assert 0.0 <= first.under_original <= 1.0


def test_damage_is_ranked_from_mild_to_harsh(people: list[Footage], weights) -> None:
    """By how much fine detail it changes."""
    arena = Arena(as_detector(weights, SMALL), people, 3, 7)
    for entry in arena.entries:
        changed = [
            float(np.abs(entry.damage(strength).apply(entry.clip.rgb).astype(int) - entry.clip.rgb).mean())
            for strength in (0.0, 0.5, 1.0)
        ]
        assert len(entry.damages) == 3
        assert changed[0] < 255
        assert entry.damage(0.0) is entry.damages[0]
        assert entry.damage(1.0) is entry.damages[-1]


def test_a_forgery_that_is_none_does_not_count(people: list[Footage], weights, monkeypatch) -> None:
    """An unchanged clip would fool every detector: the arena calls it implausible, and the search pays for it."""
    monkeypatch.setattr(
        arena_module, "forge", lambda kind, clip, *_: Forged(clip.rgb.copy(), np.ones(clip.rgb.shape[:3], np.float32))
    )
    bout = Arena(as_detector(weights, SMALL), people, 2, 7).hold(Attempt("self_blend", PLAIN, 0.0))
    assert bout.plausible == 0.0
    assert cost(bout) > cost(Bout(1.0, 0.0, 0.0, 5.0, 5.0))


def test_what_the_codec_erased_did_not_survive() -> None:
    """All of an edit that is still there counts 1, an erased one 0, half of it a half."""
    edit = np.random.default_rng(0).integers(-40, 40, (2, 8, 8, 3)).astype(np.int16)
    mask = np.ones((2, 8, 8), np.float32)
    assert surviving(edit, edit, mask) == pytest.approx(1.0)
    assert surviving(edit, np.zeros_like(edit), mask) == 0.0
    assert surviving(edit * 2, edit, mask) == pytest.approx(0.5)


class _Scripted:
    """An arena whose outcome is known: the fainter the colour, the more passes."""

    def __init__(self, fooled: Callable[[Attempt], float]) -> None:
        self.fooled = fooled
        self.held: list[Attempt] = []

    def hold(self, attempt: Attempt) -> Bout:
        self.held.append(attempt)
        passed = self.fooled(attempt)
        return Bout(1.0, passed, passed, 4.0 - 8.0 * passed, 4.0 - 8.0 * passed)


def test_the_search_finds_what_passes() -> None:
    """Better than the published style within few tries, each kind searched by itself, at most two a kind."""
    arena = _Scripted(lambda one: 1.0 - one.style.colour / 2.0)
    found = search.search(arena, ["self_blend", "drift"], 20, 1)
    assert [one.kind for one in found] == ["self_blend"] * 2 + ["drift"] * 2
    assert all(one.style.colour < 0.7 for one in found)
    assert len(arena.held) == 40
    assert arena.held[0] == Attempt("self_blend", PLAIN, 0.5)


def test_luck_does_not_enter_the_pool() -> None:
    """What does not beat the published style on fresh clips, or is implausible there, is left out."""
    good, bad = Attempt("self_blend", Style(colour=0.3), 0.5), Attempt("self_blend", Style(colour=1.9), 0.5)
    arena = _Scripted(lambda one: 1.0 - one.style.colour / 2.0)
    found = verified(arena, [good, bad], 4)
    assert [(one.kind, one.style, one.round) for one in found] == [("self_blend", good.style, 4)]
    assert found[0].fooled > found[0].plain
    assert verified(_Scripted(lambda one: 0.0), [good], 1) == []


def _said(identity: str, label: str, score: float) -> Prediction:
    return Prediction(f"val/{label}/{identity}.mp4", label, "", identity, "r", "", "vp8", film=True,
                      logits=(score,), face_px=(90.0,), sharpness=(5.0,))  # fmt: skip


def test_a_round_must_help_both_halves() -> None:
    """A gain in the mean that one half paid for is not kept."""
    before = Standing({"swap": 0.6}, (0.6, 0.6))
    assert helped(before, Standing({"swap": 0.65}, (0.63, 0.61)))
    assert helped(before, Standing({"swap": 0.65}, (0.70, 0.597)))
    assert not helped(before, Standing({"swap": 0.65}, (0.80, 0.55)))
    assert not helped(before, before)


def test_standing_is_by_label_and_half() -> None:
    """Perfect in one half of the people and reversed in the other: macro in the middle, halves apart."""
    names = [f"n{number}" for number in range(40)]
    said = []
    for number, name in enumerate(names):
        sign = 1.0 if for_calibration(name) else -1.0
        label = "real" if number % 2 else "swap"
        said.append(_said(name, label, sign if label == "swap" else -sign))
    found = standing(said)
    assert found.halves == (1.0, 0.0)
    assert 0.2 < found.macro < 0.8


def test_a_pool_survives_the_way_through_a_file(tmp_path: Path) -> None:
    """What is read is what was found; a strange kind or a broken file is refused."""
    file = tmp_path / "pool.json"
    write_pool(file, [FOUND])
    assert read_pool(file) == (FOUND,)
    assert [(one.kind, one.style, one.weight) for one in styled([FOUND])] == [("self_blend", FOUND.style, 0.75)]
    file.write_text(file.read_text().replace("self_blend", "magic"))
    with pytest.raises(DataError, match="magic"):
        read_pool(file)
    file.write_text("[{]")
    with pytest.raises(DataError, match="cannot be read"):
        read_pool(file)


class _Learnt:
    """A trainer that is done, with the given weights."""

    def __init__(self, weights) -> None:
        self.average = SimpleNamespace(values={name: value + 1 for name, value in weights.items()})


def _contest(run: Path, people: list[Footage], *, searching: bool = True) -> Contest:
    return Contest(run, SMALL, PACE, learnt=people, judged=_judged(), conditions=named(["clean"]), searching=searching)


def test_rounds_are_kept_or_dropped_and_go_on(tmp_path: Path, people, weights, monkeypatch) -> None:
    """A kept round gives weights and pool, a dropped one only its line; a fresh start stands where the log ends."""
    outcomes = iter([Standing({"swap": value}, (value, value)) for value in (0.5, 0.7, 0.6)])
    monkeypatch.setattr(Contest, "judge", lambda self, weights: next(outcomes))
    monkeypatch.setattr(Contest, "find", lambda self, state: [replace(FOUND, round=state.number)])
    monkeypatch.setattr(rounds, "tune", lambda start, *_: _Learnt(start))
    contest = _contest(tmp_path, people)
    state = contest.begin(lambda: weights)
    first = contest.play(state)
    assert [one.round for one in first.pool] == [1]
    second = contest.play(first)
    assert second.number == 3
    assert (second.weights, second.pool) == (first.weights, first.pool)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line.get("kept") for line in lines] == [None, True, False]
    assert {file.name for file in tmp_path.iterdir()} == {
        "log.jsonl", "pool.json", "best.safetensors", "round-1.safetensors"}  # fmt: skip
    assert read_pool(tmp_path / "pool.json") == first.pool
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"round": 3, "kep')
    again = contest.begin(lambda: pytest.fail("began anew"))
    assert (again.number, again.pool, again.standing) == (3, first.pool, first.standing)
    for name, value in read_weights(tmp_path / "best.safetensors").items():
        torch.testing.assert_close(again.weights[name], value)
    assert "self_blend 0.75 (plain 0.25)" in report(tmp_path, tmp_path / "plain")


def test_a_contest_without_searching_finds_nothing(tmp_path: Path, people, weights, monkeypatch) -> None:
    """The same steps on the recipe's own forgeries."""
    outcomes = iter([Standing({"swap": value}, (value, value)) for value in (0.5, 0.7)])
    monkeypatch.setattr(Contest, "judge", lambda self, weights: next(outcomes))
    monkeypatch.setattr(Contest, "find", lambda self, state: pytest.fail("searched"))
    recipes = []
    made = rounds.new_stream
    monkeypatch.setattr(
        rounds, "new_stream", lambda footage, recipe, seed: recipes.append(recipe) or made(footage, recipe, seed)
    )
    contest = _contest(tmp_path, people, searching=False)
    assert contest.play(contest.begin(lambda: weights)).pool == ()
    assert [one.styled for one in recipes] == [()]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_contest_runs_end_to_end(tmp_path: Path, people, weights, monkeypatch, capsys) -> None:
    """From crops and weights to log and table, with a search by a real detector; another run's folder is refused."""
    write_crops(tmp_path / "crops", people)
    write_crops(tmp_path / "crops", _judged(), "val")
    write_weights(tmp_path / "start.safetensors", weights)
    monkeypatch.setattr(command, "Recipe", lambda: SMALL)
    start = ["--from", str(tmp_path / "start.safetensors"), "--steps", "1", "--workers", "0", "--conditions", "clean"]
    call = [str(tmp_path / "crops"), str(tmp_path / "run"), *start, "--rounds", "1", "--tries", "2", "--clips", "2"]
    assert command.main(call) == 0
    assert "With the search" in capsys.readouterr().out
    assert command.main([*call, "--plain"]) == 0
    assert "The same steps without" in capsys.readouterr().out
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 2
    (tmp_path / "run" / "log.jsonl").write_text('{"step": 3}\n')
    assert command.main(call) == 1
    assert "not the log of a contest" in capsys.readouterr().err.replace("\n", " ")
