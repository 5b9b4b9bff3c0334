"""Letters a second: `make_letters` against one `HTML(...).write_pdf()` a letter, on the same HTML, in one run.

    python benchmarks/letters_per_second.py [letters]

The two take turns, so that other load falls on both. The peer draws and writes each letter and nothing more: it reads
nothing back, checks no window, name or claim, syncs no file to disk and cannot go on after a crash.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from statistics import median

import weasyprint

from nudge.base.resources import resources
from nudge.documents.batch import local_executor, make_letters
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.page import FAMILY, FONTS
from nudge.documents.profiles import profile_named
from nudge.documents.sample import COUNCIL
from nudge.documents.templates import TemplateFolder

FOLDER = TemplateFolder(resources() / "templates")
ROUNDS = 3


def letters(count: int, start: int = 0) -> list[LetterSpec]:
    """Invented tenants, half in each arm."""
    return [
        LetterSpec(
            reference=letter_reference(b"benchmark", "bench", f"u{number}", 1, "first"),
            template=f"letters/arrears-{('current', 'personal-norm')[number % 2]}.html",
            name=f"Mrs Alys {chr(65 + number % 26)}ones",
            salutation=f"Mrs {chr(65 + number % 26)}ones",
            post_to=(f"Flat {number % 40 + 1}", f"{number % 90 + 1} Mill Lane", "Hartfield", "TN7 4AB"),
            fields={"arrears": 1000 + 137 * number},
            claims={"contact_norm": "More than 6 in 10 of the tenants we wrote to in the year to August 2026 replied"},
            council=COUNCIL,
            letter_date=date(2026, 11, 23),
            as_of=date(2026, 11, 20),
            tenancy_reference=f"T{number}",
            payment_reference=str(9826000000000 + number),
        )
        for number in range(start, start + count)
    ]


def naive(specs: list[LetterSpec], out: Path) -> None:
    """What most do: every letter a document from nothing, its style sheets and fonts read again."""
    fonts = files("nudge.documents").joinpath("fonts")
    faces = "".join(
        f"@font-face {{ font-family: '{FAMILY}'; font-weight: {weight}; src: url('file://{fonts / name}') }}"
        for name, weight in FONTS.items()
    )
    style = f"<style>{faces} html {{ font-family: '{FAMILY}' }} {profile_named('dl').css}</style></head>"
    for spec in specs:
        html = FOLDER.html(spec).replace("</head>", style)
        base_url = (FOLDER.path / "letters").as_uri() + "/"
        page = weasyprint.HTML(string=html, base_url=base_url)
        page.write_pdf(out / f"{spec.reference}.pdf", pdf_variant="pdf/ua-1")


def timed(work) -> tuple[float, float]:
    """Seconds on the clock, and seconds of processor here and in finished children."""
    before = time.perf_counter(), _processor()
    work()
    return time.perf_counter() - before[0], _processor() - before[1]


def _processor() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _resident_mb() -> float:
    with Path("/proc/self/statm").open() as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    found: dict[str, list[tuple[float, float]]] = {"naive": [], "one process": [], "two processes": []}
    growth = {"naive": 0.0, "one process": 0.0}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as here:
        root = Path(folder)
        naive(letters(2), root)
        make_letters(letters(2), FOLDER, "dl", root, executor=here)
        for turn in range(ROUNDS):
            specs = letters(count, turn * count)
            (root / f"naive-{turn}").mkdir()
            start = _resident_mb()
            found["naive"].append(timed(lambda turn=turn, specs=specs: naive(specs, root / f"naive-{turn}")))
            middle = _resident_mb()
            found["one process"].append(
                timed(
                    lambda turn=turn, specs=specs: make_letters(
                        specs, FOLDER, "dl", root / f"one-{turn}", executor=here
                    )
                )
            )
            growth["naive"] += middle - start
            growth["one process"] += _resident_mb() - middle

            def two(turn=turn, specs=specs):
                with local_executor(2) as crew:
                    made = make_letters(specs, FOLDER, "dl", root / f"two-{turn}", executor=crew)
                assert len(made.letters) == count, made.refused

            found["two processes"].append(timed(two))
    clock = {name: median(seconds for seconds, _ in times) / count for name, times in found.items()}
    processor = {name: median(seconds for _, seconds in times) / count for name, times in found.items()}
    report = {
        "letters": count,
        "rounds": ROUNDS,
        "ms_a_letter_clock": {name: round(1000 * value, 1) for name, value in clock.items()},
        "ms_a_letter_processor": {name: round(1000 * value, 1) for name, value in processor.items()},
        "times_faster_clock": {name: round(clock["naive"] / value, 2) for name, value in clock.items()},
        "times_faster_processor": {name: round(processor["naive"] / value, 2) for name, value in processor.items()},
        "memory_grown_kb_a_letter": {name: round(1000 * mb / count / ROUNDS) for name, mb in growth.items()},
        "load": os.getloadavg()[0],
        "versions": {name: version(name) for name in ("weasyprint", "pydyf", "pypdfium2", "segno", "jinja2")},
        "the_peer_lacks": "reading back; checks of window, name, reference, claim; sync to disk; resuming",
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
