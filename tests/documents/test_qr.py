"""The code that brings a letter's reference back."""

from __future__ import annotations

import pytest

from nudge.documents.qr import qr_image, qr_target


@pytest.mark.parametrize(
    ("website", "target"),
    [
        ("www.wealdenvale.example/rent", "https://www.wealdenvale.example/rent?letter=NX7-4RF-H9KC"),
        ("https://wealdenvale.example/?area=rent", "https://wealdenvale.example/?area=rent&letter=NX7-4RF-H9KC"),
        ("", "NX7-4RF-H9KC"),
    ],
)
def test_the_code_opens_the_councils_page_with_the_reference_filled_in(website, target):
    assert qr_target(website, "NX7-4RF-H9KC") == target


def test_the_code_is_the_same_each_time_and_has_words_for_those_who_cannot_see_it():
    image = qr_image("www.wealdenvale.example", "NX7-4RF-H9KC")
    assert image == qr_image("www.wealdenvale.example", "NX7-4RF-H9KC")
    assert 'alt="QR code: opens' in image
    assert image != qr_image("www.wealdenvale.example", "NX7-4RF-H9KD")
