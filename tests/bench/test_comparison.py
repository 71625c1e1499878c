# SPDX-License-Identifier: Apache-2.0
"""The benchmark: its arithmetic on canned figures, and one short run of the real thing."""

import json
import math
from dataclasses import replace
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.bench.caller import HEIGHT_PX, WIDTH_PX, Caller, encode, read
from monitor.bench.comparison import compare
from monitor.bench.probe import FPS, STAGES, Counts, Mark, Probe, attribute, percentile
from monitor.bench.report import Heard, Measure, markdown, measured, ratios, rows
from monitor.bench.section import rewritten
from monitor.config import Settings
from monitor.errors import UsageError
from tests.fakes.clips import write_clip
from tests.fakes.media import sample

STAT = "{thread} ({name}) S {parent} 1 1 0 -1 4194304 10 0 0 0 {user} {system} 0 0 20 0 9 0 100 1 2"


BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


def stat(thread: int, user: int, system: int, name: str = "python", parent: int = 1) -> str:
    """A line of /proc/PID/task/TID/stat as Linux 6 prints it, ended after the fields that matter; times in ticks."""
    return STAT.format(thread=thread, name=name, parent=parent, user=user, system=system)


def mark(at_s: float, cpu_s: float, frames: int, resident_bytes: int = 100, lag_s: float = 0.0) -> Mark:
    """A moment at which every stage has used the same CPU time."""
    return Mark(at_s, dict.fromkeys(STAGES, cpu_s), resident_bytes, 6 * frames, frames, frames, lag_s)


SECONDS = 3.0
EDGE_PER_S = 1.1 / SECONDS
"""The counts are read at moments that may fall between taking a frame and looking at it."""

MARKS = [mark(105.0, 1.0, 25), mark(115.0, 2.0, 75, 200, 0.01), mark(165.0, 7.0, 325, 300, 0.02)]


def hearing(delay_s: float, growth: float = 0.0) -> list[Heard]:
    """A verdict a second of `ann`, whose first frame was due at 100, each later by `growth` than the one before."""
    return [Heard(100.0 + second + delay_s + growth * second, "ann", float(second)) for second in range(66)]


def measure(delay_s: float = 0.1, growth: float = 0.0) -> Measure:
    """A minute of one participant."""
    return measured(MARKS, {"ann": 100.0}, hearing(delay_s, growth), 0.001)


def test_threads_are_told_apart_by_name() -> None:
    """Python's names say the stage, what Python did not start is MediaPipe's, children are the broker's."""
    threads = {
        10: stat(10, 300, 100),
        11: stat(11, 50, 0),
        12: stat(12, 20, 5),
        13: stat(13, 70, 0, "mediapipe (x) 1"),
        14: stat(14, 40, 0),
        15: stat(15, 1, 1),
        16: stat(16, 8, 0),
        17: stat(17, 2, 0),
    }
    names = {10: "MainThread", 11: "video-decoder", 12: "faces_1", 14: "torch_0", 15: "outbox_0", 16: "capture_0"}
    names[17] = "ThreadPoolExecutor-1_0"
    spent = attribute(threads, names, [stat(99, 30, 3)])
    ticks = {stage: round(100 * seconds) for stage, seconds in spent.items()}
    assert ticks == {
        "network and loop": 400,
        "decode": 58,
        "convert": 0,
        "faces": 27,
        "faces (native)": 70,
        "liveness": 40,
        "liveness (cues)": 0,
        "broker": 33,
        "other": 2,
    }
    assert list(spent) == list(STAGES)


def test_a_process_marks_itself() -> None:
    """A real look at this process: memory and time are used, and converting in the loop is moved to its stage."""
    counted = Probe(lambda: Counts(30, 5, 4, 0.25)).mark()
    assert counted.cpu_s["convert"] >= 0.25
    assert sum(counted.cpu_s.values()) > 0.0
    assert counted.resident_bytes > 10_000_000
    assert (counted.received, counted.looked, counted.judged) == (30, 5, 4)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_percentile_is_the_smallest_value_that_covers_the_share(values: list[float], share: float) -> None:
    """At least the share lies at or below it, and less than the share below it."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9


def test_percentile_of_nothing_is_an_error() -> None:
    """It is never a made-up number."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_costs_are_per_stream_and_second_of_the_measured_time() -> None:
    """What was used before the first mark does not count; two streams share it."""
    one, two = measure(), measured(MARKS, {"ann": 100.0, "bob": 100.0}, hearing(0.1), 0.0)
    assert one.cpu_percent == pytest.approx(dict.fromkeys(STAGES, 10.0))
    assert one.cpu_total_percent == pytest.approx(90.0)
    assert two.cpu_total_percent == pytest.approx(45.0)
    assert (one.received_per_s, one.looked_per_s) == pytest.approx((30.0, 5.0))
    assert one.cpu_ms_per_look == pytest.approx(180.0)
    assert (one.resident_early_bytes, one.resident_late_bytes) == (200, 300)
    assert one.loop_lag_p99_s == 0.02


def test_delays_run_from_the_frame_at_the_caller_to_the_verdict_heard() -> None:
    """A steady delay is that delay everywhere, and verdicts of the warm-up are left out."""
    found = measure(0.1)
    assert found.verdicts == 60
    delays = [found.latency_p50_s, found.latency_p99_s, found.lag_early_s, found.lag_late_s]
    assert delays == pytest.approx([0.1] * 4)


def test_a_verdict_that_is_refreshed_counts_once() -> None:
    """What the broker retains is sent again from time to time: that is no late verdict."""
    again = [replace(each, at_s=each.at_s + 0.9) for each in hearing(0.1)]
    both = sorted([*hearing(0.1), *again], key=lambda each: each.at_s)
    assert measured(MARKS, {"ann": 100.0}, both, 0.001) == measure(0.1)


def test_a_program_that_falls_behind_shows_it() -> None:
    """The lag grows from the early mark to the late one."""
    found = measure(0.1, growth=0.5)
    assert found.lag_early_s == pytest.approx(4.6, abs=1.0)
    assert found.lag_late_s == pytest.approx(21.6, abs=1.0)


def test_streams_per_core_leave_a_fifth_of_it() -> None:
    """A stream that takes 90 % of a core does not fit into 80 %; a program that used nothing has no such number."""
    assert measure().streams_per_core == pytest.approx(80 / 90)
    still = replace(MARKS[0], at_s=200.0)
    assert measured([MARKS[0], still, still], {"ann": 100.0}, [], 0.0).streams_per_core is None


def test_silence_is_shown_as_silence() -> None:
    """Without verdicts there are no delays and no ratios of them, and the table still comes."""
    silent = measured(MARKS, {"ann": 100.0}, [], 0.0)
    assert (silent.latency_p50_s, silent.lag_late_s, silent.verdicts) == (None, None, 0)
    assert ratios(silent, measure())["latency_p50"] is None
    assert next(row for row in rows(silent, measure()) if "median" in row.name).cells == ("–", "100 ms", "")


def test_ratios_say_how_many_times_the_plain_loop_costs() -> None:
    """More than one speaks for Lifesign."""
    assert ratios(measure(3.0), measure(0.5))["latency_p50"] == pytest.approx(6.0)
    row = next(row for row in rows(measure(3.0), measure(0.5), measure(1.5)) if "median" in row.name)
    assert row.cells == ("3,000 ms", "500 ms", "6 ×", "1,500 ms", "2 ×")


def test_the_readme_section_is_replaced_and_nothing_else() -> None:
    """Twice the same is once; what stands around the markers stays; a file without markers is refused."""
    section = markdown(rows(measure(), measure(), measure()), "lifesign bench", {"CPU": "a CPU"})
    text = f"# Title\n\n{BEGIN}\nold\n{END}\n\nend\n"
    once = rewritten(text, section)
    assert once == rewritten(once, section)
    assert once.startswith(f"# Title\n\n{BEGIN}\n| |")
    assert once.endswith(f"\n{END}\n\nend\n")
    assert "\n`lifesign bench` on CPU a CPU.\n" in once
    assert {line.count("|") for line in section.splitlines() if line.startswith("|")} == {7}
    with pytest.raises(UsageError, match="bench-loss:begin"):
        rewritten(once, section, "bench-loss")
    for broken in ("", BEGIN, f"{END}{BEGIN}"):
        with pytest.raises(UsageError, match="There is no"):
            rewritten(broken, section)


async def test_a_caller_sends_the_clip_without_a_seam(tmp_path: Path) -> None:
    """The clip is 480p30 VP8 that begins with a keyframe; past its end it begins again and its times go on."""
    write_clip(str(tmp_path / "clip.mp4"), seconds=0.5, fps=24)
    encode(tmp_path / "clip.mp4", tmp_path / "clip.ivf")
    with av.open(str(tmp_path / "clip.ivf")) as film:
        shown = [(frame.width, frame.height) for frame in film.decode(video=0)]
    pictures = read(tmp_path / "clip.ivf")
    assert shown == [(WIDTH_PX, HEIGHT_PX)] * len(pictures)
    assert 14 <= len(pictures) <= 16
    assert not pictures[0][0] & 1
    caller = Caller(pictures)
    caller.begin(-math.inf)
    packets = [await caller.recv() for _ in range(len(pictures) + 2)]
    assert [bytes(packet) for packet in packets] == [*pictures, *pictures[:2]]
    assert [packet.pts for packet in packets] == list(range(len(packets)))
    assert packets[0].time_base * FPS == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_both_programs_watch_the_same_caller(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A short run of all: both receive and judge the face, are heard, and are compared; the README gets its table."""
    for name in ("face_landmarker", "pexels_woman"):
        sample(name)
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    assert await compare(Settings(), streams=1, seconds=SECONDS, json=True, readme=readme) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["variants"]) == {"plain", "lifesign", "layered"}
    for found in document["variants"].values():
        assert found["verdicts"] > 0
        assert found["received_per_s"] + EDGE_PER_S >= found["looked_per_s"]
        assert found["looked_per_s"] + EDGE_PER_S >= found["judged_per_s"] > 0.0
        assert found["looked_per_s"] == pytest.approx(5.0, rel=0.4)
        assert found["latency_p99_s"] >= found["latency_p50_s"] > 0.0
        assert all(found["cpu_percent"][stage] > 0.0 for stage in ("network and loop", "decode", "faces", "liveness"))
        assert found["resident_late_bytes"] > 100_000_000
    assert all(each["cpu"] > 0.0 for each in document["ratios"].values())
    assert "| CPU of one core per stream |" in readme.read_text()
