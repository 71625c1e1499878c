# SPDX-License-Identifier: Apache-2.0
"""What C++ libraries write to file descriptor 2, past Python, in; log events out."""

import os
import re
import sys
import threading
from typing import Final

import structlog

__all__ = ["catch", "is_chatter"]

CHATTER: Final = re.compile(r"^([IW]\d{4} |INFO: |WARNING: All log messages before absl|\[libx26[45] |\s*$)")
"""Information and warnings of absl and TensorFlow Lite: start-up remarks that no operator can act on."""


def is_chatter(line: str) -> bool:
    """Whether the line is a remark rather than an error."""
    return CHATTER.match(line) is not None


def catch() -> None:
    """Keep Python's stderr where it is, and turn native lines into log events: remarks at debug, the rest at warning.

    A crash of a native library may take its last words with it; log level debug therefore leaves them alone.
    """
    ours = os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    sys.stderr = os.fdopen(ours, "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    threading.Thread(target=_forward, args=(reader,), name="native stderr", daemon=True).start()


def _forward(reader: int) -> None:
    log = structlog.get_logger("monitor.native")
    with os.fdopen(reader, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            level = "debug" if is_chatter(line) else "warning"
            getattr(log, level)("native", text=line.rstrip(), throttle=f"native {line[:40]}")
