"""The QR code that carries the reference of a letter or a sign back to the council."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Final
from urllib.parse import urlencode

import segno

SIZE_CLASS: Final = "qr"
_PIXELS: Final = 6  # a side of some 30 modules at 6 pixels prints at more than 200 dots an inch; the edges stay square


def qr_target(website: str, reference: str, of: str = "letter") -> str:
    """What the code says: the council's page with the reference filled in, or the reference alone."""
    if not website:
        return reference
    address = website if "://" in website else f"https://{website}"
    return f"{address}{'&' if '?' in address else '?'}{urlencode({of: reference})}"


def qr_image(website: str, reference: str) -> str:
    """An `img` element with its words beside it in `alt`. Error level M, as GOV.UK Notify prints them.

    The reference is of letters, figures and hyphens, so nothing in it needs escaping. The mask is fixed: choosing
    one costs five times as long, and every mask is a lawful code.
    """
    code = segno.make(qr_target(website, reference), error="m", micro=False, mask=2, boost_error=False)
    stream = io.BytesIO()
    code.save(stream, kind="png", scale=_PIXELS, border=0)
    words = "QR code: opens the council's page for this letter. It holds the letter reference printed beside it."
    if not website:
        words = "QR code of the letter reference printed beside it."
    data = b64encode(stream.getvalue()).decode("ascii")
    return f'<img class="{SIZE_CLASS}" alt="{words}" src="data:image/png;base64,{data}">'


def sign_code(website: str, reference: str) -> str:
    """The code for whoever puts a sign up: drawn in lines and in black ink alone, so that it prints sharp at any size.

    With its quiet zone of four modules, as it stands on colour.
    """
    code = segno.make(qr_target(website, reference, "sign"), error="m", micro=False, mask=2, boost_error=False)
    side = len(code.matrix) + 8
    runs = []
    for down, row in enumerate(code.matrix, 4):
        across = 0
        while across < len(row):
            length = 0
            while across + length < len(row) and row[across + length]:
                length += 1
            if length:
                runs.append(f"M{across + 4} {down}h{length}v1h-{length}z")
            across += length or 1
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="device-cmyk(0 0 0 0)" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path fill="device-cmyk(0 0 0 1)" d="{"".join(runs)}"/></svg>'
    )
    data = b64encode(drawing.encode()).decode("ascii")
    words = "QR code for whoever puts this sign up. It holds the sign reference printed beside it."
    return f'<img data-zone="code" alt="{words}" src="data:image/svg+xml;base64,{data}">'
