# SPDX-License-Identifier: Apache-2.0
"""What every command that learns sets up before it begins."""

import subprocess
import sys
from typing import Final

import pytest

FAULTS: Final = """
import resource, torch
from models.setting import set_threads

def faults_each():
    for _ in range(3):
        torch.ones(16 * 1024 * 1024)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(8):
        torch.ones(16 * 1024 * 1024)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 8

before = faults_each()
set_threads(1)
print(before, faults_each())
"""


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="page faults are counted as Linux counts them")
def test_freed_memory_is_used_again() -> None:
    """A tensor as large as one freed before takes nearly no new pages from the system; unset it takes all anew."""
    told = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, check=True, text=True)
    unset, kept = (float(count) for count in told.stdout.split())
    assert unset > 10
    assert kept < unset / 10
