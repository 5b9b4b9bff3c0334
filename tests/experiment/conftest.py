"""The smallest plans of both kinds, and the folder of shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def experiments() -> Path:
    return ROOT / "experiments"


@pytest.fixture(scope="session")
def flagship(experiments: Path) -> str:
    return (experiments / "wealden-arrears.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def tiny_live() -> str:
    return """\
id: tiny
title: A letter
question: Does it help?
unit: tenancy
columns: {arrears: money, weeks: number, patch: text, agreed: flag, court: date}
eligible: all
suppress: [deceased]
events: {contact: {from: contacts, when: direction == "in"}}
arms: [{id: old, control: true}, {id: new}]
design: {method: blocked}
outcomes:
  - {id: reply, type: time_to_event, event: contact, horizon: 56, primary: true}
smallest_worthwhile: {reply: 3}
harms: [complaint]
governance: {}
"""


@pytest.fixture(scope="session")
def tiny_recorded() -> str:
    return """\
id: tiny
design: {method: recorded, randomised: yes}
data: {arm: letter}
arms: [{id: none, control: true}, {id: plain}]
outcomes:
  - {id: renewed, type: proportion, column: status, success: [Renewed]}
"""
