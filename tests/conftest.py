# SPDX-License-Identifier: Apache-2.0
"""Settings that every test runs under."""

import os

import pytest
from hypothesis import settings

KEPT = {"LIFESIGN_PATHS__CACHE", "LIFESIGN_FOOTAGE"}

settings.register_profile("lifesign", derandomize=True, deadline=None, max_examples=50, database=None)
settings.load_profile("lifesign")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the settings of whoever runs it; only where assets and footage lie."""
    for name in [name for name in os.environ if name.startswith("LIFESIGN_") and name not in KEPT]:
        monkeypatch.delenv(name)
