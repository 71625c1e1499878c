# SPDX-License-Identifier: Apache-2.0
"""Metrics of several processes as one exposition."""

import pickle

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from monitor.metrics import Metrics, Reading
from monitor.processes.gathering import Gathering


def families(value: float) -> list:
    """Those of one process, as they travel."""
    shown = Metrics(
        [Reading("liveness_crops_total", "Crops judged.", lambda: value), Reading("tracks", "Tracks.", int)]
    )
    return pickle.loads(pickle.dumps(shown.families()))


def test_each_family_is_shown_once_with_the_samples_of_all_processes() -> None:
    """Those of children by their name, those of this process as they are; histograms, too."""
    registry = CollectorRegistry()
    registry.register(Gathering(lambda: families(1), lambda: {"ingest-1": families(2), "engine": families(3)}))
    text = generate_latest(registry).decode()
    found = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.count("# TYPE lifesign_liveness_crops_total") == 1
    crops = {sample.labels.get("process", ""): sample.value for sample in found["lifesign_liveness_crops"].samples}
    assert crops == {"": 1.0, "ingest-1": 2.0, "engine": 3.0}
    assert {sample.labels.get("process") for sample in found["lifesign_stage_seconds"].samples} <= {
        None,
        "ingest-1",
        "engine",
    }
    assert {sample.labels.get("process") for sample in found["process_resident_memory_bytes"].samples} == {
        None,
        "ingest-1",
        "engine",
    }


def test_a_process_without_a_report_shows_nothing() -> None:
    """It is being started again."""
    registry = CollectorRegistry()
    registry.register(Gathering(lambda: families(1), lambda: {"engine": ()}))
    assert b"engine" not in generate_latest(registry)
