"""The QR code that carries the reference of a letter or a sign back to the council."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Final
from urllib.parse import urlencode

import segno
from markupsafe import Markup

SIZE_CLASS: Final = "qr"
QUIET: Final = 4  # modules of white that a reader needs around a code
_PIXELS: Final = 6  # a side of some 30 modules at 6 pixels prints at more than 200 dots an inch; the edges stay square


def qr_target(website: str, reference: str, of: str = "letter") -> str:
    """What the code says: the council's page with the reference filled in, or the reference alone."""
    if not website:
        return reference
    address = website if "://" in website else f"https://{website}"
    return f"{address}{'&' if '?' in address else '?'}{urlencode({of: reference})}"


def qr_image(website: str, reference: str) -> Markup:
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
    return _image(words, "image/png", stream.getvalue())


def sign_modules(website: str, reference: str) -> tuple[tuple[bool, ...], ...]:
    """The dark modules of a sign's code, row by row, without its quiet zone."""
    return tuple(tuple(bool(module) for module in row) for row in _sign_code(website, reference).matrix)


def sign_image(website: str, reference: str) -> Markup:
    """The code for whoever puts a sign up, as an `img`: drawn in lines and in black ink alone, on a white square."""
    modules = sign_modules(website, reference)
    side = len(modules) + 2 * QUIET
    dark = "".join(
        f"M{across} {down}h1v1h-1z"
        for down, row in enumerate(modules, QUIET)
        for across, module in enumerate(row, QUIET)
        if module
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="device-cmyk(0 0 0 0)" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path fill="device-cmyk(0 0 0 1)" d="{dark}"/></svg>'
    )
    words = "QR code for whoever puts this sign up. It holds the sign reference printed beside it."
    return _image(words, "image/svg+xml", drawing.encode())


def _image(words: str, kind: str, content: bytes) -> Markup:
    """Markup as it stands: the words are our own, and base64 has no sign that HTML knows."""
    data = b64encode(content).decode("ascii")
    return Markup(f'<img class="{SIZE_CLASS}" alt="{words}" src="data:{kind};base64,{data}">')  # noqa: S704


def _sign_code(website: str, reference: str) -> segno.QRCode:
    return segno.make(qr_target(website, reference, "sign"), error="m", micro=False, mask=2, boost_error=False)
