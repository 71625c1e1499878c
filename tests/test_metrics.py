# SPDX-License-Identifier: Apache-2.0
"""What /metrics shows of the stages."""

import asyncio
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from monitor import metrics
from monitor.metrics import FORBIDDEN_LABELS, Metrics, Reading, observe_latency, timed, watch_loop


def samples(shown: Metrics) -> dict[tuple[str, str], float]:
    """Values by sample name and first label value, as a Prometheus server reads them."""
    families = text_string_to_metric_families(shown.text().decode())
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
        if "le" not in sample.labels
    }


def test_readings_are_read_when_asked_for() -> None:
    """A counter of a stage is a plain number that /metrics looks at."""
    count = 1
    shown = Metrics([Reading("capture_frames_total", "Frames.", lambda: count)])
    assert samples(shown)["lifesign_capture_frames_total", ""] == 1
    count = 5
    assert samples(shown)["lifesign_capture_frames_total", ""] == 5


def test_a_labelled_reading_has_a_sample_per_value() -> None:
    """One callable gives several numbers."""
    shown = samples(Metrics([Reading("publish_queue", "Waiting.", lambda: {"alerts": 2, "state": 3}, "queue")]))
    assert shown["lifesign_publish_queue", "alerts"] == 2
    assert shown["lifesign_publish_queue", "state"] == 3


@pytest.mark.parametrize("label", sorted(FORBIDDEN_LABELS))
def test_a_label_per_call_is_refused(label: str) -> None:
    """Ids as labels would grow the server's memory with every call."""
    with pytest.raises(ValueError, match=label):
        Reading("x", "x", lambda: 0, label)


def test_stage_time_is_counted_also_when_the_stage_raises() -> None:
    """Slow failures are seen."""
    shown = Metrics()
    before = samples(shown).get(("lifesign_stage_seconds_count", "faces"), 0)
    with pytest.raises(KeyError), timed("faces"):
        raise KeyError
    assert samples(shown)["lifesign_stage_seconds_count", "faces"] == before + 1


def test_latency_is_a_histogram() -> None:
    """From frame to acknowledgement, in seconds."""
    shown = Metrics()
    before = samples(shown)["lifesign_frame_to_publish_seconds_sum", ""]
    observe_latency(0.25)
    assert samples(shown)["lifesign_frame_to_publish_seconds_sum", ""] == pytest.approx(before + 0.25)


async def test_a_blocked_loop_shows_as_lag() -> None:
    """The gauge tells how late the loop woke up."""
    late: list[float] = []
    watcher = asyncio.create_task(watch_loop(period_s=0.01, late=late.append))
    await asyncio.sleep(0.02)
    time.sleep(0.2)  # noqa: ASYNC251 blocking the loop is what is tested
    await asyncio.sleep(0.05)
    watcher.cancel()
    assert samples(Metrics())["lifesign_event_loop_lag_seconds", ""] > 0.1
    assert max(late) > 0.1


def test_every_metric_has_the_prefix_and_no_id() -> None:
    """What is scraped by default names no call and no person."""
    for family in text_string_to_metric_families(Metrics().text().decode()):
        assert family.name.startswith(("lifesign_", "process_"))
        assert not {label for sample in family.samples for label in sample.labels} & FORBIDDEN_LABELS


def test_the_names_of_the_stages_are_those_of_the_folders() -> None:
    """Docs, folders and metrics use one word; capture runs beside the flow of one frame and is not timed in it."""
    assert metrics.STAGES == ("faces", "liveness", "policy", "publish")
