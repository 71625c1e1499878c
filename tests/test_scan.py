# SPDX-License-Identifier: Apache-2.0
"""Recordings are judged as live calls, one summary line each, and a broken one stops no other."""

import json
import wave
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from monitor.config import CaptureSettings, Settings
from monitor.errors import FileError
from monitor.publish.events import Summary
from monitor.scan import expand, scan
from tests.fakes.blue import BlueDetector, record
from tests.fakes.clips import repeated
from tests.fakes.media import sample

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Eight seconds of a genuine face, the same turned blue, and a clip whose face is too small."""
    sample("face_landmarker")
    folder = tmp_path_factory.mktemp("clips")
    source = sample("pexels_woman")
    return {
        "genuine": record(source, folder / "genuine.mp4", 8.0),
        "blue": record(source, folder / "blue.mp4", 8.0, blue=True),
    }


async def scanned(
    capsys: pytest.CaptureFixture[str],
    *files: Path | str,
    strict: bool = False,
    evidence: bool = False,
    explain: Path | None = None,
) -> tuple[int, list[Any]]:
    """Exit code and the JSON lines of a scan with the blue detector."""
    settings = Settings(capture=CaptureSettings(samples_per_s=3.0))
    names = [str(file) for file in files]
    code = await scan(
        settings, names, json=True, strict=strict, evidence=evidence, explain=explain,
        load=lambda _name, _device: BlueDetector(),
    )  # fmt: skip
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def summaries(lines: list[Any]) -> dict[str, Any]:
    """The summary lines by file name."""
    return {Path(line["file"]).name: line for line in lines if line["event"] == "summary"}


async def test_each_file_ends_with_a_summary_as_promised(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Fields and ranges are those of the contract; genuine is clear, the attack has the time of its alert."""
    code, lines = await scanned(capsys, *clips.values())
    found = summaries(lines)
    for line in found.values():
        jsonschema.validate(line, Summary.model_json_schema())
    assert code == 0
    assert found["genuine.mp4"]["state"] == "clear"
    assert found["genuine.mp4"]["first_alert_s"] is None
    assert found["blue.mp4"]["state"] == "alert"
    assert 4.0 <= found["blue.mp4"]["first_alert_s"] <= 8.0
    assert found["blue.mp4"]["score"] > 0.9 > 0.1 > found["genuine.mp4"]["score"]
    assert found["blue.mp4"]["judged_s"] == pytest.approx(8.0, abs=1.0)
    assert len(found["blue.mp4"]["faces"]) == 1


async def test_an_alert_is_explained_in_files(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The alerted file gets a JSON file and pictures, the genuine one nothing; the events do not change."""
    _, lines = await scanned(capsys, *clips.values(), explain=tmp_path / "why")
    assert {Path(line["file"]).name for line in lines if line["event"] == "alert"} == {"blue.mp4"}
    (told,) = (tmp_path / "why").glob("*.json")
    assert told.name == "blue-file-2-alert-1.json"
    explanation = json.loads(told.read_text())
    assert explanation["alert"]["timeline"]
    assert len(explanation["looks"]) == explanation["pictures"] == 3
    assert len(list((tmp_path / "why").glob("blue-file-2-alert-1-*.png"))) == 3
    assert not any("rgb" in line or "boundary" in line for line in lines)


async def test_evidence_is_what_every_cue_said_of_every_look(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each cue speaks or says why not, once a look; without being asked for, none of it is printed."""
    _, lines = await scanned(capsys, clips["genuine"], evidence=True)
    said = [line for line in lines if line["event"] == "evidence"]
    looks = {line["media_s"] for line in said}
    by_cue = {cue: [line for line in said if line["cue"] == cue] for cue in {line["cue"] for line in said}}
    assert {"detector", "frozen", "looped"} <= set(by_cue)
    assert all(len(lines) == len(looks) > 10 for lines in by_cue.values())
    assert all(line["sentence"] and 0.0 <= line["reliability"] <= 1.0 for line in said)
    assert all({"measure", "origin"} <= line.keys() for line in said)
    _, plain = await scanned(capsys, clips["genuine"])
    assert not [line for line in plain if line["event"] == "evidence"]


async def test_events_come_before_their_files_summary_in_the_order_of_the_files(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdicts and alerts of a file stand together, its summary last, files in the order they were named."""
    _, lines = await scanned(capsys, clips["blue"], clips["genuine"])
    names = [Path(line["file"]).name for line in lines]
    first = names.index("genuine.mp4")
    assert set(names[:first]) == {"blue.mp4"}
    assert [lines[first - 1]["event"], lines[-1]["event"]] == ["summary", "summary"]
    changes = [line["change"] for line in lines if line["event"] == "alert"]
    assert changes == ["raised", "cleared"]


async def test_strict_exits_1_for_an_alerted_file_only(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """With strict an alert is a negative result; without one the exit code stays 0."""
    assert (await scanned(capsys, clips["blue"], strict=True))[0] == 1
    assert (await scanned(capsys, clips["genuine"], strict=True))[0] == 0


async def test_the_same_file_gives_the_same_summary(clips: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Two scans of one file say the same, to the last digit."""
    first, second = [(await scanned(capsys, clips["genuine"]))[1][-1] for _ in range(2)]
    assert first == second


async def test_broken_files_are_named_and_stop_no_other(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Truncated, empty, audio-only, non-video and missing files get an error line with advice; the rest is judged."""
    broken = {
        "truncated.mp4": clips["genuine"].read_bytes()[:20_000],
        "empty.mp4": b"",
        "text.mp4": b"This is no video.\n" * 100,
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * 8000)
    files = [tmp_path / name for name in (*broken, "sound.wav", "missing.mp4")]
    code, lines = await scanned(capsys, *files, clips["genuine"])
    errors = [line for line in lines if line["event"] == "error"]
    assert code == 1
    assert [Path(line["file"]) for line in errors] == files
    assert all(line["code"] == "file" and line["advice"] for line in errors)
    assert summaries(lines)["genuine.mp4"]["state"] == "clear"


async def test_a_recording_that_begins_again_is_alerted_as_a_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A genuine face to the network; but its eleven seconds come back again and again."""
    once = record(sample("pexels_woman"), tmp_path / "once.mp4", 11.0)
    _, lines = await scanned(capsys, repeated(once, tmp_path / "loop.mp4", 5), once)
    found = summaries(lines)
    assert found["loop.mp4"]["first_alert_s"] > 20.0
    assert max(found["loop.mp4"]["faces"][0]["kinds"].items(), key=lambda kind: kind[1])[0] == "loop"
    assert found["once.mp4"]["state"] == "clear"


async def test_words_for_people_hold_the_state_and_the_reason(
    clips: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --json each file is one line on stdout."""
    await scan(Settings(), [str(clips["genuine"])], load=lambda _name, _device: BlueDetector())
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1
    assert out[0].startswith("clear")
    assert out[0].rstrip().endswith("genuine.mp4")


async def test_a_face_too_small_is_inconclusive_without_a_score(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is claimed of a face below the least size, and the reason is given."""
    _, lines = await scanned(capsys, sample("carphone"))
    assert lines[-1]["state"] == "inconclusive"
    assert lines[-1]["score"] is None
    assert "too_small" in lines[-1]["reasons"]


def test_a_folder_stands_for_the_media_in_it(tmp_path: Path) -> None:
    """Folders are replaced by their media in order; addresses and files are taken as they are."""
    (tmp_path / "deep").mkdir()
    for name in ("b.mp4", "a.webm", "notes.txt", "deep/c.JPG"):
        (tmp_path / name).touch()
    found = list(expand(["rtsp://camera/1", str(tmp_path), "plain.xyz"]))
    assert found[0] == "rtsp://camera/1"
    assert [Path(name).name for name in found[1:-1]] == ["a.webm", "b.mp4", "c.JPG"]
    assert found[-1] == "plain.xyz"


def test_a_folder_without_media_is_an_error(tmp_path: Path) -> None:
    """An empty folder is said to be empty instead of being a scan of nothing."""
    with pytest.raises(FileError, match="no media"):
        list(expand([str(tmp_path)]))
