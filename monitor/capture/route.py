# SPDX-License-Identifier: Apache-2.0
"""The wished path of media in; the one that this installation can take, and how often it was another one, out."""

import functools
from typing import Literal

import structlog

from monitor.config import CaptureSettings
from monitor.errors import TapError

from .adapter_contract import datagram_faults, tap_faults

__all__ = ["Path", "Route", "check_tap", "takes_datagrams"]

Path = Literal["tap", "plain"]


def check_tap() -> None:
    """Raise `TapError` when the installed aiortc is not the one that the encoded path was written for."""
    faults = tap_faults()
    if faults:
        what = f"Encoded media cannot be taken from the installed aiortc: {', '.join(faults)}."
        raise TapError(what, "Install the pinned aiortc; until then every picture is decoded.")


def takes_datagrams() -> bool:
    """Whether the tap takes media as datagrams; else as packets that aiortc decrypted, at a higher cost."""
    return not datagram_faults()


class Route:
    """Decides for each connection; `fallback_count` are those that wished for the tap and got the plain path."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._wished: Path = settings.path
        self.fallback_count = 0

    @property
    def path(self) -> Path:
        """The path that a new connection would get."""
        return "plain" if self._wished == "plain" or tap_faults() else "tap"

    def choose(self) -> Path:
        """The path of a new connection."""
        if self._wished == "plain":
            return "plain"
        try:
            check_tap()
        except TapError as error:
            self._fall_back(error)
            return "plain"
        return "tap"

    @functools.cached_property
    def datagrams(self) -> bool:
        """Whether the tap may take datagrams; else it takes packets that aiortc decrypted, at a higher cost."""
        faults = datagram_faults()
        if faults:
            structlog.get_logger().warning("packets instead of datagrams", code=TapError.code, missing=list(faults))
        return not faults

    def _fall_back(self, error: TapError) -> None:
        if not self.fallback_count:
            structlog.get_logger().warning("plain path instead of the tap", code=error.code, what=error.what)
        self.fallback_count += 1
