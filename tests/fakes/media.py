# SPDX-License-Identifier: Apache-2.0
"""The name of a sample in, its file out; a test whose sample is not here is skipped with the way to get it."""

import os
from pathlib import Path

import pytest

from monitor import assets

__all__ = ["data_root", "sample"]


def sample(name: str) -> Path:
    """Find a cached asset, verified; skip the test when it is missing.

    Names are those of monitor/assets.toml. A file that is there and wrong fails the test.
    """
    asset = assets.manifest()[name]
    file = assets.destination(asset)
    if not file.exists():
        pytest.skip(f"asset {name} is missing: run `lifesign setup --group {asset.groups[-1]}`")
    return assets.path(name)


def data_root() -> Path:
    """Find the labelled footage, LIFESIGN_FOOTAGE or shared/data beside the checkout; skip without it."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    root = Path(os.environ.get("LIFESIGN_FOOTAGE", beside))
    if not root.is_dir():
        pytest.skip(f"no labelled footage at {root}: name its folder in LIFESIGN_FOOTAGE")
    return root
