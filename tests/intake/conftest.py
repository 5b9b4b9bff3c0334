"""Small files of invented people, as housing systems would export them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from intake_files import Rows, as_csv


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows, or text, or bytes, under a name in a folder of the test's own."""

    def writing(content: Rows | str | bytes, name: str = "week.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        if not isinstance(content, (str, bytes)):
            content = as_csv(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return writing


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write a workbook of sheets by name: rows of cells, typed as Python has them."""

    def writing(sheets: dict[str, Rows], name: str = "week.xlsx", first: tuple[int, int] = (0, 0)) -> Path:
        path = tmp_path / name
        book = xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy"})
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            if title.startswith("Hidden"):
                sheet.hide()
            for down, row in enumerate(rows, start=first[0]):
                for across, cell in enumerate(row, start=first[1]):
                    if isinstance(cell, str):
                        sheet.write_string(down, across, cell)
                    elif cell is not None:
                        sheet.write(down, across, cell)
        book.close()
        return path

    return writing
