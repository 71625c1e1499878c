# SPDX-License-Identifier: Apache-2.0
"""What a scan writes for the alerts of a recording."""

import json
from pathlib import Path

import cv2
import pytest

from monitor.errors import FileError
from monitor.publish.builder import EventBuilder
from monitor.publish.explanations.report import Report
from monitor.values import AlertChange
from tests.fakes.looks import worst_look
from tests.publish.conftest import IDENTITY, clock, make_alert


def report() -> Report:
    """A report of two alerts, one of them cleared."""
    told = EventBuilder(IDENTITY, lambda: "id", clock)
    made = Report()
    for change, alert in ((AlertChange.RAISED, "a-1"), (AlertChange.CLEARED, "a-1"), (AlertChange.RAISED, "a-2")):
        made.take(told.alert(make_alert(change, alert)).data, [worst_look(level=90), worst_look(3.0, level=10)])
    return made


def test_each_alert_gets_its_files(tmp_path: Path) -> None:
    """One JSON file an alert and a PNG a look; the folder is made."""
    folder = tmp_path / "new" / "folder"
    report().write(folder, "/films/a call.mp4")
    stems = [f"a_call-{alert}" for alert in ("a-1", "a-2")]
    expected = sorted(f"{stem}{ending}" for stem in stems for ending in (".json", "-1.png", "-2.png"))
    assert sorted(path.name for path in folder.iterdir()) == expected
    told = json.loads((folder / "a_call-a-1.json").read_text())
    assert (told["alert"]["change"], len(told["looks"]), told["pictures"]) == ("raised", 2, 2)
    assert cv2.imread(str(folder / "a_call-a-1-1.png")).shape == (384, 768, 3)


@pytest.mark.parametrize(
    "file", ["https://host/../../etc/passwd?x=1", "../../..", "/", "a/b\0c.mp4", "ä" * 300 + ".mp4"]
)
def test_no_name_of_a_recording_leaves_the_folder(tmp_path: Path, file: str) -> None:
    """Whatever a file or an address is called."""
    folder = tmp_path / "folder"
    report().write(folder, file)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert len(list(folder.iterdir())) == 6


def test_nothing_is_made_where_nothing_was_alerted(tmp_path: Path) -> None:
    """Not even the folder."""
    Report().write(tmp_path / "folder", "a.mp4")
    assert not (tmp_path / "folder").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """By the error of the file that was to be explained."""
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(FileError, match="cannot be written"):
        report().write(tmp_path / "folder", "a.mp4")
