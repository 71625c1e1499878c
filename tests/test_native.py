# SPDX-License-Identifier: Apache-2.0
"""What native libraries write to file descriptor 2."""

import subprocess
import sys

import pytest

from monitor.native import is_chatter

PROGRAM = """
import os, sys, time
from monitor import logs, native
from monitor.config import LogSettings
native.catch()
logs.configure(LogSettings(format="json"))
os.write(2, b"I0000 00:00 remark\\nterminate called after throwing\\n")
print("python speaks", file=sys.stderr)
time.sleep(0.3)
"""


@pytest.mark.parametrize(
    "line",
    [
        "W0000 00:00:1795311777.427837   17990 face_landmarker_graph.cc:174] Sets FaceBlendshapesGraph acceleration",
        "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "",
    ],
)
def test_start_up_remarks_are_chatter(line: str) -> None:
    """An operator can do nothing about them."""
    assert is_chatter(line)


@pytest.mark.parametrize("line", ["E0000 00:00 calculator failed", "free(): invalid pointer", "terminate called"])
def test_errors_are_not_chatter(line: str) -> None:
    """Whatever is not known to be harmless is shown."""
    assert not is_chatter(line)


def test_remarks_vanish_errors_are_logged_and_python_keeps_its_stderr() -> None:
    """In a process of its own, as the command line sets it up."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=15)
    assert "python speaks" in done.stderr
    assert '"text": "terminate called after throwing"' in done.stderr
    assert "remark" not in done.stderr
