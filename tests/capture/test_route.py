# SPDX-License-Identifier: Apache-2.0
"""The choice between the encoded path and the plain one."""

import pytest
from aiortc import RTCRtpReceiver

from monitor.capture import route as route_module
from monitor.capture.adapter_contract import SHAPES, tap_faults
from monitor.capture.route import Route, check_tap
from monitor.config import CaptureSettings
from monitor.errors import TapError


def test_installed_aiortc_fits() -> None:
    """Every private name of the encoded path is there and of the shape it was read in."""
    assert tap_faults() == ()
    check_tap()


@pytest.mark.parametrize("name", sorted(name for name in SHAPES if name.startswith("_")))
def test_missing_name_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that renames or removes a name is told by that name, or as a whole."""

    class Other(RTCRtpReceiver):
        def __getattribute__(self, asked: str):
            if asked.endswith(name):
                raise AttributeError(asked)
            return super().__getattribute__(asked)

    monkeypatch.setattr("monitor.capture.adapter_contract.RTCRtpReceiver", Other)
    tap_faults.cache_clear()
    try:
        assert any(name in fault for fault in tap_faults())
    finally:
        tap_faults.cache_clear()


def test_wish_is_granted_or_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the tap does not fit, each connection takes the plain path and is counted; nobody who wished for it is."""
    tap, plain = Route(CaptureSettings(path="tap")), Route(CaptureSettings(path="plain"))
    assert (tap.choose(), plain.choose()) == ("tap", "plain")
    monkeypatch.setattr(route_module, "tap_faults", lambda: ("_enabled",))
    with pytest.raises(TapError, match="_enabled"):
        check_tap()
    assert [tap.choose(), tap.choose(), plain.choose()] == ["plain"] * 3
    assert (tap.fallback_count, plain.fallback_count) == (2, 0)
