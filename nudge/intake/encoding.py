"""Which text encoding a file is in: shown by its bytes or said by a person, never guessed in silence."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from nudge.base.errors import Place, Refused
from nudge.intake.codes import FileCode

KNOWN: Final = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be"),
    *("cp1252", "iso-8859-15", "latin-1", "cp850", "cp437", "mac-roman"),
)
_CHUNK: Final = 1 << 17
_GZIP: Final = b"\x1f\x8b"
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_NOT_TEXT: Final = (
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a Word document (RTF)"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a Parquet file"),
)
_MARKUP: Final = (b"<!doctype html", b"<html", b"<table", b"<?xml", b"<workbook")
# What UTF-8 looks like after it was read as Windows-1252 and saved again. In Latin text these pairs do not occur.
_SECOND: Final = "\u00a0-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0081\u008d\u008f\u0090\u009d"
_LATER: Final = "\u00a1-\u00ba€‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ\u0081\u008d\u008f\u0090\u009d"
GARBLED: Final = re.compile(f"\ufffd|â€.|ï»¿|ðŸ|[ÂÃ][{_SECOND}]|[ÄÅ][{_LATER}]|â[{_SECOND}][{_SECOND}]", re.DOTALL)
# The same in bytes, as a cheap first look: UTF-8 files encode the pairs twice, Windows-1252 files hold them once.
_GARBLED_UTF8: Final = re.compile(rb"\xef\xbf\xbd|\xc3[\x82\x83\x84\x85\xa2\xaf\xb0][\xc2\xc5\xc6\xcb\xe2]")
_GARBLED_1252: Final = re.compile(rb"[\xc2-\xc5][\x80-\xbf]|\xe2[\x80-\xbf]{2}|\xef\xbb\xbf|\xf0\x9f")
_UNDEFINED_1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# A pound sign of the old code page 850, and the apostrophe and accents of old Macs, as Windows-1252 would show them.
_LOOKS_CP850: Final = re.compile(rb"\x9c ?\d")
_LOOKS_MAC: Final = re.compile(rb"\bO\xd5[A-Z][a-z]|[a-z]\xd5[a-z]|[a-z]\x8e[a-z]?\b")
_ASCII: Final = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Text:
    """A text file: its hash as stored, its encoding, and what a person should be told about that."""

    path: Path
    sha256: str
    encoding: str
    zipped: bool
    note: str | None

    def open(self) -> BinaryIO:
        """The bytes, unpacked."""
        return opened(self.path, zipped=self.zipped)


def opened(path: Path, *, zipped: bool) -> BinaryIO:
    """The file's bytes, unpacked where it is a .gz."""
    return cast("BinaryIO", gzip.open(path, "rb")) if zipped else path.open("rb")


def text_of(path: Path, said: str | None) -> Text:
    """Decide the encoding in one pass over the bytes: what was said, else byte-order mark, UTF-8, Windows-1252.

    Raises Refused where the file is no text, the encoding fails or must be said, or the text was garbled before.
    """
    name = path.name
    with path.open("rb") as stream:
        head = stream.read(4096)
    zipped = head.startswith(_GZIP)
    try:
        if zipped:
            with opened(path, zipped=True) as stream:
                head = stream.read(4096)
        if not head.strip():
            raise Refused(FileCode.FILE_EMPTY.at(Place(name)))
        _refuse_not_text(name, head)
        encoding = _checked(name, said) if said else _marked(head)
        seen = _scan(path, zipped, encoding)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise Refused(FileCode.ARCHIVE_DAMAGED.at(Place(name))) from None
    chosen = encoding or ("utf-8" if seen.utf8 else "cp1252")
    _refuse_doubtful(path, zipped, chosen, seen, said=said is not None, head=head)
    note = None if said or chosen != "cp1252" else _note(seen.beyond)
    return Text(path, seen.sha256, chosen, zipped, note)


@dataclass(slots=True)
class _Seen:
    """What one pass over the bytes found."""

    sha256: str = ""
    utf8: bool = True
    decodes: bool = True
    nul: bool = False
    undefined: bool = False
    garbled_utf8: bool = False
    garbled_1252: bool = False
    looks: str | None = None
    beyond: Counter[int] | None = None


def _scan(path: Path, zipped: bool, encoding: str | None) -> _Seen:
    seen, beyond, tail = _Seen(), Counter[int](), b""
    strict = codecs.getincrementaldecoder("utf-8" if encoding is None else encoding)("strict")
    with opened(path, zipped=zipped) as stream:
        while chunk := stream.read(_CHUNK):
            joined, tail = tail + chunk, chunk[-4:]
            seen.nul = seen.nul or b"\0" in chunk
            if seen.decodes:
                seen.decodes = _decodes(strict, chunk)
            if not chunk.isascii():
                seen.undefined = seen.undefined or bool(_UNDEFINED_1252.search(chunk))
                seen.garbled_utf8 = seen.garbled_utf8 or bool(_GARBLED_UTF8.search(joined))
                seen.garbled_1252 = seen.garbled_1252 or bool(_GARBLED_1252.search(joined))
                if not seen.looks:
                    seen.looks = "cp850" if _LOOKS_CP850.search(joined) else None
                    seen.looks = seen.looks or ("mac-roman" if _LOOKS_MAC.search(joined) else None)
                beyond.update(chunk.translate(None, _ASCII))
    if seen.decodes:
        seen.decodes = _decodes(strict, b"", final=True)
    seen.utf8 = seen.decodes if encoding is None else True
    seen.sha256, seen.beyond = _sha256(path), beyond
    return seen


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeError:
        return False
    return True


def _marked(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def _checked(name: str, said: str) -> str:
    """The encoding said, as one of KNOWN; `utf-8` also takes a byte-order mark."""
    plain = said.strip().lower().replace("_", "-")
    plain = {
        "windows-1252": "cp1252",
        "ansi": "cp1252",
        "utf8": "utf-8",
        "utf-8-sig": "utf-8",
        "macroman": "mac-roman",
    }.get(plain, plain)
    if plain not in KNOWN:
        raise Refused(FileCode.ENCODING_UNKNOWN.at(Place(name), encoding=said, known=", ".join(KNOWN)))
    return "utf-8-sig" if plain == "utf-8" else plain  # the same, and a byte-order mark is no character of the text


def _refuse_not_text(name: str, head: bytes) -> None:
    what = next((words for magic, words in _NOT_TEXT if head.startswith(magic)), None)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if what is None and start.startswith(_MARKUP):
        what = "a web page or XML under another name (some systems export that as .xls)"
    if what is not None:
        raise Refused(FileCode.FILE_NOT_A_TABLE.at(Place(name), what=what))


def _refuse_doubtful(path: Path, zipped: bool, chosen: str, seen: _Seen, *, said: bool, head: bytes) -> None:
    place = Place(path.name)
    wide = chosen.startswith("utf-16")
    if seen.nul and not wide:
        guess = _utf16_without_mark(head)
        if guess:
            raise Refused(FileCode.ENCODING_NEEDED_UTF16.at(place, encoding=guess))
        raise Refused(FileCode.NUL_BYTES.at(place, rows=_rows(path, zipped, lambda line: b"\0" in line)))
    if chosen == "cp1252" and seen.undefined:
        rows = _rows(path, zipped, lambda line: bool(_UNDEFINED_1252.search(line)))
        raise Refused(FileCode.ENCODING_FAILS.at(place, encoding="UTF-8 or Windows-1252", rows=rows))
    if not seen.decodes and (said or chosen != "cp1252"):
        rows = "its bytes" if wide else _rows(path, zipped, lambda line: _fails(line, chosen))
        raise Refused(FileCode.ENCODING_FAILS.at(place, encoding=chosen.removesuffix("-sig"), rows=rows))
    suspected = seen.garbled_1252 if chosen == "cp1252" else seen.garbled_utf8 and chosen.startswith("utf-8")
    if suspected or wide:
        numbers = _garbled_lines(path, zipped, chosen)
        if numbers:
            code = FileCode.TWO_ENCODINGS if chosen == "cp1252" else FileCode.TEXT_GARBLED
            raise Refused(code.at(place, rows=named_rows(numbers)))
    if chosen == "cp1252" and not said and seen.looks:
        pattern = _LOOKS_CP850 if seen.looks == "cp850" else _LOOKS_MAC
        rows = _rows(path, zipped, lambda line: bool(pattern.search(line)))
        raise Refused(FileCode.ENCODING_UNSURE.at(place, rows=rows, encoding=seen.looks))


def _utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 shows as a NUL in nearly every second byte of Latin text."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.1 * half else None


def _fails(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeError:
        return True
    return False


def _garbled_lines(path: Path, zipped: bool, encoding: str) -> list[int]:
    with opened(path, zipped=zipped) as stream:
        lines = io.TextIOWrapper(stream, encoding=encoding, errors="replace")
        return [number for number, line in enumerate(lines, start=1) if GARBLED.search(line)]


def _rows(path: Path, zipped: bool, faulty: Callable[[bytes], bool]) -> str:
    with opened(path, zipped=zipped) as stream:
        return named_rows([number for number, line in enumerate(_lines(stream), start=1) if faulty(line)])


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of at most 128 kB, so that a file without line ends cannot fill the memory."""
    while line := stream.readline(_CHUNK):
        yield line


def named_rows(numbers: list[int], count: int | None = None) -> str:
    """`row 4`, `rows 4, 9 and 12`, or the first few and how many there are (`count`, if not all are given)."""
    count = len(numbers) if count is None else count
    if count == 1:
        return f"row {numbers[0]}"
    listed = [f"{number}" for number in numbers[:5]]
    if count <= len(listed):
        return f"rows {', '.join(listed[:-1])} and {listed[-1]}"
    return f"{count:,} rows (the first are {', '.join(listed)})"


def _note(beyond: Counter[int] | None) -> str:
    """What was decided, with the characters (never the words of a row) by which a person can judge it."""
    marks = [
        f"{bytes([byte]).decode('cp1252')} ×{count:,}" for byte, count in (beyond or Counter[int]()).most_common(8)
    ]
    return (
        "read as Windows-1252 (cp1252), for it is not UTF-8; beyond plain letters it then holds "
        f"{', '.join(marks)}. If these look wrong, name the encoding with --encoding."
    )
