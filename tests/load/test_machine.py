# SPDX-License-Identifier: Apache-2.0
"""How many cores there are: control groups in the notations that kernels and containers use."""

import os
from pathlib import Path

import pytest

from monitor.load.machine import cores, quota


def tree(folder: Path, groups: str, files: dict[str, str]) -> tuple[Path, Path]:
    """The list of groups and a mount that holds these files."""
    (folder / "cgroup").write_text(groups)
    for name, text in files.items():
        (folder / "mount" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mount" / name).write_text(text)
    return folder / "cgroup", folder / "mount"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/host/path\n", {"cpu.max": "200000 100000\n"}, 2.0),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("4:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_quota_us": "1\n"}, None),
        (
            "4:cpu,cpuacct:/docker/x\n0::/\n",
            {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            3.0,
        ),
        ("4:memory:/\n", {"cpu.max": "50000 100000\n"}, None),
        ("0::/\n", {"cpu.max": "\n"}, None),
        ("0::/\n", {}, None),
    ],
)
def test_the_quota_of_control_groups(
    tmp_path: Path, groups: str, files: dict[str, str], expected: float | None
) -> None:
    """The smallest of all groups above the process counts; what cannot be read is no limit."""
    assert quota(*tree(tmp_path, groups, files)) == expected


def test_cores_are_bounded_by_affinity_and_quota(tmp_path: Path) -> None:
    """Half a core of a container is half a core; a quota above what there is gives no more."""
    there = len(os.sched_getaffinity(0))
    assert cores(*tree(tmp_path, "0::/\n", {"cpu.max": "50000 100000\n"})) == 0.5
    assert cores(*tree(tmp_path, "0::/\n", {"cpu.max": f"{there + 1}00000 100000\n"})) == there
    assert cores(tmp_path / "none", tmp_path) == there
