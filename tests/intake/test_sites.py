"""A sites file: whatever must be settled before a sign goes up is found at its row, all of it at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.intake.site_codes import SiteCode
from nudge.intake.sites import SiteList, read_sites
from tests.experiments.places import nearby, place, sites_csv

TODAY = date(2027, 3, 1)


def read(tmp_path: Path, *rows: dict[str, str], kinds: dict[str, Kind] | None = None, needed: str = "") -> SiteList:
    path = tmp_path / "sites.csv"
    path.write_bytes(sites_csv(list(rows)))
    return read_sites(path, kinds or {}, today=TODAY, needed=needed.split())


def found(listed: SiteList) -> list[tuple[int | None, str | None, str]]:
    return [(problem.place.row, problem.place.heading, problem.code) for problem in listed.faults]


def test_a_site_is_read_with_its_consent_and_its_declared_columns(tmp_path: Path) -> None:
    listed = read(tmp_path, place(1, Traffic="1200"), place(2, Traffic=""), kinds={"traffic": Kind.NUMBER})
    assert found(listed) == []
    first, second = listed.sites
    assert (first.site, first.street, first.consent_on, first.highway) == (
        "S01",
        "South Road 1",
        date(2027, 1, 15),
        False,
    )
    assert (first.values["traffic"], second.values["traffic"]) == (1200.0, None)
    assert (first.size, first.displacement_of, first.installer) == ("", "", "Crew B")


@pytest.mark.parametrize(
    ("changes", "heading", "code"),
    [
        ({"Owner Consent": "no"}, "Owner Consent", SiteCode.CONSENT_MISSING),
        ({"Owner Consent": ""}, "Owner Consent", SiteCode.CONSENT_MISSING),
        ({"Consent On": ""}, "Consent On", SiteCode.CONSENT_UNDATED),
        ({"Consent By": ""}, "Consent By", SiteCode.CONSENT_UNDATED),
        ({"Consent On": "2027-03-02"}, "Consent On", SiteCode.CONSENT_FUTURE),
        ({"Highway": ""}, "Highway", SiteCode.HIGHWAY_UNKNOWN),
        ({"Highway": "yes"}, "Authorisation", SiteCode.AUTHORISATION_MISSING),
        ({"Latitude": ""}, "Latitude", SiteCode.POSITION_HALF),
        ({"Longitude": ""}, "Longitude", SiteCode.POSITION_HALF),
        ({"Latitude": "532100"}, "Latitude", SiteCode.POSITION_OUTSIDE),
        ({"Size": "A5"}, "Size", SiteCode.SIZE_UNKNOWN),
        ({"Site ID": "s 02"}, "Site ID", SiteCode.SITE_TWICE),
        ({"Latitude": "51.0020", "Longitude": "-1.0020"}, "Latitude", SiteCode.POSITION_TWICE),
        ({"Displacement Of": "S09"}, "Displacement Of", SiteCode.WATCHES_NOBODY),
    ],
)
def test_what_is_not_settled_is_refused_at_its_row(
    tmp_path: Path, changes: dict[str, str], heading: str, code: SiteCode
) -> None:
    listed = read(tmp_path, place(2), place(1, **changes), place(3))
    assert found(listed) == [(3, heading, code.slug)]
    assert [site.site for site in listed.sites] == ["S02", "S03"]


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    listed = read(tmp_path, place(1, Highway="", **{"Owner Consent": "no"}), place(2, Size="huge"), place(3))
    assert [row for row, _, _ in found(listed)] == [2, 2, 3]
    assert (listed.rows, listed.faulty) == (3, 2)


def test_a_site_on_the_highway_is_read_with_its_authorisation(tmp_path: Path) -> None:
    [site] = read(tmp_path, place(1, Highway="yes", Authorisation="HA/2027/14")).sites
    assert (site.highway, site.authorisation) == (True, "HA/2027/14")


def test_a_displacement_site_needs_no_consent_for_it_gets_no_sign(tmp_path: Path) -> None:
    listed = read(tmp_path, place(1), nearby(1))
    assert found(listed) == []
    assert listed.sites[1].displacement_of == "S01"


def test_a_displacement_site_of_a_site_at_fault_is_at_fault_too(tmp_path: Path) -> None:
    listed = read(tmp_path, place(1, **{"Owner Consent": "no"}), nearby(1), place(2))
    assert [(row, code) for row, _, code in found(listed)] == [(2, "consent-missing"), (3, "watches-nobody")]


def test_what_the_draw_looks_at_cannot_be_blank(tmp_path: Path) -> None:
    kinds = {"pair": Kind.TEXT, "note": Kind.TEXT}
    listed = read(tmp_path, place(1, pair="", note=""), place(2, pair="A", note=""), kinds=kinds, needed="pair")
    assert found(listed) == [(2, "pair", "not-measured")]


def test_no_owner_or_place_stands_in_a_refusal(tmp_path: Path) -> None:
    listed = read(tmp_path, place(1, Owner="Mrs Firle", Highway="", **{"Consent By": ""}))
    assert listed.faults
    assert not [one for one in listed.faults if "Firle" in str(one) or "Invented Corner" in str(one)]


def test_a_file_without_sites_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    path.write_text("Site ID,Owner Consent,Highway\n", "utf-8")
    with pytest.raises(Refused):
        read_sites(path, {}, today=TODAY)
