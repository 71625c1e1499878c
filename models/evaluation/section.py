# SPDX-License-Identifier: Apache-2.0
"""A page with markers and new text in, the page with the text between its markers out."""

from pathlib import Path

from models.errors import DataError

__all__ = ["rewrite"]


def rewrite(page: Path, name: str, text: str) -> None:
    """Put `text` between `<!-- NAME:begin -->` and `<!-- NAME:end -->`; raises DataError for a page without them."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before = page.read_text(encoding="utf-8")
    if begin not in before or end not in before:
        raise DataError(f"{page} has no lines {begin} and {end}")
    head, rest = before.split(begin, 1)
    page.write_text(f"{head}{begin}\n{text.strip()}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")
