# SPDX-License-Identifier: Apache-2.0
"""The sheet shows every kind and every treatment, and says in one line why it cannot."""

from pathlib import Path

import cv2
import pytest

from models import sheet
from models.forgeries.harmless import TREATMENTS
from models.forgeries.mix import SHARES
from tests.fakes.drawn_faces import SIDE_PX, drawn_footage, write_crops


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported crops: one film, two stills."""
    folder = tmp_path_factory.mktemp("crops")
    write_crops(folder, [drawn_footage(3, 1), drawn_footage(1, 2, path="train/a.jpg"), drawn_footage(1, 3)])
    return folder


@pytest.mark.parametrize(("of", "rows"), [("kinds", 2 * len(SHARES)), ("harmless", 2 * len(TREATMENTS))])
def test_everything_is_shown(of: str, rows: int, crops: Path, tmp_path: Path) -> None:
    """Two rows of pictures for each name, one column of two pictures for each person."""
    out = tmp_path / "sheet.png"
    assert sheet.main([str(crops), str(out), "--of", of, "--rows", "2"]) == 0
    picture = cv2.imread(str(out))
    assert picture is not None
    assert picture.shape[:2] == (rows * SIDE_PX + rows // 2 * sheet.LABEL_PX, 4 * SIDE_PX)


def test_without_crops_there_is_no_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, one line, no file."""
    assert sheet.main([str(tmp_path), str(tmp_path / "sheet.png")]) == 1
    assert "no sheet" in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
