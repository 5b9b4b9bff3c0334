"""Bytes changed anywhere in a file give a refusal or a reading, never a crash, and nothing of the file is shown."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from intake_defects import FOLDER, KINDS

from nudge.base.errors import NudgeError
from nudge.intake.extract import read_extract

SEEDS = ("sheet_absent.xlsx", "references_as_numbers.xlsx", "row_ragged.csv", "cell_invisible.csv", "damaged.csv.gz")
FILL = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
from nudge.base.errors import EnvironmentFault
from nudge.intake.extract import read_extract
try:
    read_extract(Path(sys.argv[1]), {}, None, spool=Path(sys.argv[2]))
except EnvironmentFault as fault:
    print(fault)
    sys.exit(fault.exit_code)
"""


@pytest.mark.parametrize("name", SEEDS)
def test_a_file_spoilt_anywhere_is_refused_or_read_and_never_breaks_us(tmp_path: Path, name: str) -> None:
    stream, whole = random.Random(name), (FOLDER / "extract" / name).read_bytes()
    spoilt = tmp_path / name
    for _ in range(40):
        content = bytearray(whole)
        for _ in range(stream.choice((1, 1, 3, 20))):
            content[stream.randrange(len(content))] = stream.randrange(256)
        spoilt.write_bytes(content[: stream.randrange(len(content))] if stream.random() < 0.2 else content)
        try:
            with read_extract(spoilt, dict(list(KINDS.items())[:1]), None) as extract:
                assert extract.accepted + extract.rejected + sum(extract.dropped.values()) == extract.rows
        except NudgeError as refusal:
            assert str(refusal)  # noqa: PT017


def test_i11_a_full_disk_is_not_our_fault_and_leaves_nothing_behind(tmp_path: Path) -> None:
    row = "{:06d},Mrs,Ann,Field,1 Mill Lane,Hailsham,BN27 1AA\n"
    week, spool = tmp_path / "week.csv", tmp_path / "spool"
    week.write_text("Tenancy Ref,Title,Forename,Surname,Addr1,Addr2,Postcode\n" + "".join(map(row.format, range(2000))))
    done = subprocess.run([sys.executable, "-c", FILL, week, spool], capture_output=True, text=True, check=False)
    assert done.returncode == 4, done.stderr
    assert "Free some space and run the same command again." in done.stdout
    assert list(spool.iterdir()) == []
