"""The QR code that carries a letter's reference back to the council."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Final
from urllib.parse import urlencode

import segno

SIZE_CLASS: Final = "qr"
_PIXELS: Final = 6  # a side of some 30 modules at 6 pixels prints at more than 200 dots an inch; the edges stay square


def qr_target(website: str, reference: str) -> str:
    """What the code says: the council's page with the reference filled in, or the reference alone."""
    if not website:
        return reference
    address = website if "://" in website else f"https://{website}"
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'letter': reference})}"


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
