# SPDX-License-Identifier: Apache-2.0
"""Documents that must agree with the code."""

import re
from pathlib import Path

import pytest
import typer

from monitor import errors
from monitor.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"), *ROOT.glob("models/**/*.md")]
)


def headings(page: Path) -> set[str]:
    """Titles of all sections."""
    return set(re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links point to files of this repository."""
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_error_code_has_a_section() -> None:
    """A user who reads a code finds the cure under it, and no section is about a code that is gone."""
    codes = {getattr(errors, name).code for name in errors.__all__} - {"lifesign"}
    listed = {title for title in headings(ROOT / "docs" / "errors.md") if re.fullmatch(r"[a-z_]+", title)}
    assert listed == codes | {"internal"}


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """The drawing on top of errors.py names every class with its code."""
    drawn = dict(re.findall(r"── (\w+) +(\w+)  ", errors.__doc__ or ""))
    built = {name: getattr(errors, name).code for name in errors.__all__ if name != "LifesignError"}
    assert drawn == built


def test_the_readme_names_every_command() -> None:
    """And none that is not there."""
    named = {
        name.split()[0]
        for name in re.findall(r"^\| `lifesign ([^`]+)`", (ROOT / "README.md").read_text(), re.MULTILINE)
    }
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert named == commands - {"version"}


def test_every_verb_of_the_makefile_is_helped() -> None:
    """`make help` shows all of them."""
    text = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split())  # type: ignore[index]
    assert phony == set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))


def test_generated_sections_are_delimited() -> None:
    """Tables of measurements are written by commands between these marks."""
    text = (ROOT / "README.md").read_text()
    for name in ("bench", "detection"):
        assert text.index(f"<!-- {name}:begin -->") < text.index(f"<!-- {name}:end -->")
