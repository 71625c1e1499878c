# SPDX-License-Identifier: Apache-2.0
"""A crowd of thin streams: what each costs above the idle service, in one short real run."""

import json

import pytest

from monitor.bench import growth
from monitor.config import Settings
from tests.fakes.media import sample


def test_thin_streams_are_looked_at_seldom_and_otherwise_as_usual() -> None:
    """Only the rate of looks is another."""
    usual, thin = Settings(), growth.thinned(Settings())
    assert thin.capture.samples_per_s == growth.LOOKS_PER_S
    assert thin.model_copy(update={"capture": usual.capture}) == usual


def test_a_full_core_tells_no_cost() -> None:
    """Dividing what there is by all who want it would flatter the service."""
    idle = growth.Crowd(0, 1.0, 500 << 20)
    assert growth._row(growth.Crowd(10, 21.0, 600 << 20), idle)[2:] == ("2.00 %", "600 MiB", "10.0 MiB")
    assert growth._row(growth.Crowd(100, 99.6, 600 << 20), idle)[2] == "the core is full"


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_idle_service_and_a_few_streams(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More streams use more of the core; the table tells what each takes above an idle service."""
    for name in ("face_landmarker", "pexels_woman"):
        sample(name)
    monkeypatch.setattr(growth, "COUNTS", (0, 2))
    assert await growth.measure(Settings(), seconds=2.0, json=True) == 0
    told = capsys.readouterr()
    idle, two = json.loads(told.out)
    assert (idle["streams"], two["streams"]) == (0, 2)
    assert two["cpu_percent"] > idle["cpu_percent"] >= 0.0
    assert min(idle["resident_bytes"], two["resident_bytes"]) > 100_000_000
    assert "idle" in told.err
