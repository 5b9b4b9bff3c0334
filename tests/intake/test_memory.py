"""Any number of rows in the memory of a few."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.intake.extract import read_extract
from nudge.intake.responses import read_responses

HEADINGS = "Tenancy Ref,Title,Forename,Surname,Addr1,Addr2,Postcode,Current Bal,Stage\n"
READ = """
import sys
from pathlib import Path
from nudge.base.columns import Kind
from nudge.intake.extract import read_extract
with read_extract(Path(sys.argv[1]), {"arrears": Kind.MONEY, "stage": Kind.TEXT}, None) as extract:
    found = sum(1 for _ in extract.tenancies())
    status = Path("/proc/self/status").read_text()  # getrusage would give a child the peak of its parent
    print(found, extract.rejected, status.partition("VmHWM:")[2].split()[0])
"""


def made(path: Path, rows: int) -> Path:
    """One row in a hundred is at fault; references come in no order."""
    with path.open("w", encoding="cp1252") as stream:
        stream.write(HEADINGS)
        for index in range(rows):
            number = index * 7919 % rows
            postcode = "BN27" if number % 100 == 0 else "BN27 1AA"
            stream.write(f"{number:09d},Mrs,Zoë,Field,{number} Mill Lane,Hailsham,{postcode},£12.50,first letter\n")
    return path


def peak(path: Path) -> int:
    tracemalloc.start()
    with read_extract(path, {"arrears": Kind.MONEY, "stage": Kind.TEXT}, None) as extract:
        assert sum(1 for _ in extract.tenancies()) == extract.count
        found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_four_times_the_rows_need_hardly_more_memory(tmp_path: Path) -> None:
    few, many = (peak(made(tmp_path / f"{rows}.csv", rows)) for rows in (2_000, 8_000))
    assert many < few + 500_000  # rejects are kept: 60 more of them; 6,000 more rows held would be some 8 MB


def test_responses_are_never_held_at_all(tmp_path: Path) -> None:
    def peak_of(rows: int) -> int:
        path = tmp_path / f"{rows}.csv"
        lines = "".join(f"{number:06d},01/12/2026,card,5.00\n" for number in range(rows))
        path.write_text("Ref,Post Date,Type Code,Amount\n" + lines)
        del lines
        tracemalloc.start()
        found = read_responses(path)
        assert sum(1 for _ in found.records()) == rows
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak_of(10_000) < peak_of(2_000) + 300_000


@pytest.mark.slow
def test_two_hundred_thousand_rows_fit_in_a_small_process(tmp_path: Path) -> None:
    def run(rows: int) -> tuple[int, int, int]:
        path = made(tmp_path / "week.csv", rows)
        done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, text=True, check=True)
        found, rejected, kilobytes = map(int, done.stdout.split())
        return found, rejected, kilobytes

    (_, _, before), (found, rejected, after) = run(100), run(200_000)
    assert (found, rejected) == (198_000, 2_000)
    assert after < before + 40_000
    assert after < 120_000
