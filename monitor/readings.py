# SPDX-License-Identifier: Apache-2.0
"""A service in, the numbers of its stages that /metrics shows out."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

from monitor.load.threads import Work
from monitor.metrics import Reading

if TYPE_CHECKING:  # an engine process counts as well, and starts twice as fast without the rest
    from monitor.liveness.engine import Engine
    from monitor.publish.explanations.desk import ExplanationDesk
    from monitor.publish.live import Live
    from monitor.publish.publisher import Publisher
    from monitor.service import Service, Watching

__all__ = ["engine_readings", "publish_readings", "readings", "watching_readings"]

ENGINE = {
    "liveness_tracks": ("Face tracks with state.", "tracks"),
    "liveness_restarted_tracks_total": ("Tracks whose state was taken by a newer one.", "restarted_tracks"),
    "liveness_waiting_crops": ("Crops that wait for a batch.", "waiting"),
    "liveness_batches_total": ("Batches judged.", "batches"),
    "liveness_crops_total": ("Crops judged.", "crops"),
    "liveness_failed_batches_total": ("Batches that raised.", "failures"),
    "liveness_last_batch_crops": ("Crops in the last batch.", "last_batch"),
    "liveness_last_wait_seconds": ("Wait of the last batch's first crop.", "last_wait_s"),
    "liveness_last_step_seconds": ("Time of the last batch's step.", "last_step_s"),
    "liveness_cues_seconds_total": ("Processor time of the cues beside the network.", "cues_s"),
    "liveness_state_bytes": ("Memory of the state pool.", "state_bytes"),
    "liveness_out_of_memory_total": ("Steps for which the GPU had no memory.", "out_of_memory"),
    "liveness_largest_step_crops": ("Most crops in one step; falls when the GPU's memory runs short.", "largest_step"),
    "liveness_device_lost": ("1 when the GPU failed: only a new process can judge again.", "device_lost"),
}
PUBLISH = {
    "publish_published_total": ("Messages the broker accepted.", "published"),
    "publish_refused_total": ("Messages the broker refused.", "refused"),
    "publish_lost_alerts_total": ("Alerts that could be kept nowhere.", "alerts_lost"),
    "publish_connects_total": ("Connections to the broker.", "connects"),
    "publish_connect_failures_total": ("Connection attempts that failed.", "connect_failures"),
    "publish_connected": ("1 while the broker is connected.", "connected"),
    "publish_outbox_alerts": ("Alerts that wait for the broker.", "outbox_rows"),
    "publish_pending_topics": ("Retained topics whose newest message waits for the broker.", "retained_pending"),
    "publish_outbox_oldest_seconds": ("Age of the oldest waiting alert.", "outbox_oldest_s"),
}
PICTURES = {
    "pictures_waiting_alerts": ("Alerts whose pictures wait for the disk.", "waiting"),
    "pictures_written_total": ("Alerts whose pictures were sealed and written.", "written"),
    "pictures_lost_total": ("Alerts whose pictures could not be written.", "lost"),
    "pictures_unreadable_total": ("Sealed files asked for that are damaged.", "unreadable"),
    "pictures_files": ("Sealed files kept.", "files"),
    "pictures_bytes": ("Room that sealed files take.", "bytes"),
    "pictures_foreign_files": ("Files in the folder that are not ours and are left alone.", "foreign"),
}
CAPTURE = {
    "capture_received_frames": ("Pictures received from the participants here now.", "received"),
    "capture_sampled_frames": ("Pictures picked from the participants here now.", "sampled"),
    "capture_dropped_frames": ("Picked pictures replaced by a newer one, participants here now.", "dropped"),
    "capture_discarded_frames": ("Coded pictures thrown away, participants here now.", "discarded"),
    "capture_failed_frames": ("Pictures that could not be decoded, participants here now.", "failed"),
    "capture_waiting_frames": ("Pictures that wait, participants here now.", "waiting"),
    "capture_waiting_packets": ("Packets in the reorder buffers, participants here now.", "waiting_packets"),
}
LOAD = {
    "load_rung": ("Steps down from the configured looks; the last one refuses new participants.", "rung"),
    "samples_per_second": ("Looks a second that each participant may have.", "most_per_s"),
    "load_cores": ("Cores that this process may use.", "allowed_cores"),
}


def readings(service: "Service") -> Iterable[Reading]:
    """Everything counted by the stages, read when asked for."""
    yield from watching_readings(service)
    yield from engine_readings(service.engine)
    yield from publish_readings(service.publisher, service.explanations, service.live)


def engine_readings(engine: "Engine") -> Iterable[Reading]:
    """What the engine counts."""
    yield from _fields(ENGINE, lambda: engine.counts)


def publish_readings(publisher: "Publisher", explanations: "ExplanationDesk", live: "Live") -> Iterable[Reading]:
    """What is counted on the way out."""
    yield from _fields(PUBLISH, lambda: publisher.counts)
    yield from _fields(PICTURES, lambda: explanations.pictures.counts)
    yield Reading("stream_listeners", "Readers of the event stream.", lambda: live.listeners)
    yield Reading("stream_dropped_total", "Events that slow readers never saw.", lambda: live.dropped)


def watching_readings(service: "Watching") -> Iterable[Reading]:
    """What is counted from the way in to the verdict, but by the engine."""
    yield Reading("calls", "Calls that go on.", lambda: len(service.calls.names))
    yield Reading("participants", "Participants watched now.", lambda: service.calls.participants)
    yield Reading(
        "failed_participants_total", "Participants and calls ended by an error.", lambda: service.calls.failed
    )
    yield Reading("whip_sessions", "WHIP sessions that run or negotiate.", lambda: service.whip.sessions)
    yield Reading("whip_opened_total", "WHIP sessions opened.", lambda: service.whip.opened_count)
    yield Reading("whip_refused_total", "WHIP requests refused.", lambda: dict(service.whip.refused_counts), "code")
    yield Reading(
        "capture_fallbacks_total",
        "Connections on the plain path because the installed aiortc does not fit the tap.",
        lambda: service.whip.route.fallback_count + sum(pull.route.fallback_count for pull in service.pulls),
    )
    yield Reading(
        "faces_waiting_frames", "Frames that wait for a face finding thread.", lambda: service.finders.waiting
    )
    yield Reading("pull_refused_total", "Pulls put off for lack of time.", lambda: _refused_pulls(service))
    yield from _load(service)
    for name, (description, field) in CAPTURE.items():
        yield Reading(name, description, _sum(service, field))


def _load(service: "Watching") -> Iterable[Reading]:
    load = service.load
    yield from _fields(LOAD, lambda: load)
    yield Reading("load_ratio", "Share of what may be, above 1 is overload.", lambda: dict(load.signs.items()), "sign")
    yield Reading("cost_percent", "Processor time, percent of a core.", lambda: _percent(load.cores), "stage")
    yield Reading(
        "participant_cost_percent",
        "What a 480p participant costs at these looks, percent of a core.",
        lambda: 100.0 * load.cost.cores,
    )
    yield Reading("load_free_places", "Participants who would still fit.", lambda: load.places(service.sessions))


def _percent(cores: Mapping[Work, float]) -> dict[str, float]:
    return {work: 100.0 * used for work, used in cores.items()}


def _refused_pulls(service: "Watching") -> float:
    return sum(pull.refused_count for pull in service.pulls)


def _fields(names: dict[str, tuple[str, str]], counts: Callable[[], object]) -> Iterable[Reading]:
    for name, (description, field) in names.items():
        yield Reading(name, description, _read(counts, field))


def _read(counts: Callable[[], object], field: str) -> Callable[[], float]:
    return lambda: float(attrgetter(field)(counts()))


def _sum(service: "Watching", field: str) -> Callable[[], float]:
    return lambda: float(sum(attrgetter(field)(feed.counts) for feed in service.calls.all_feeds()))
