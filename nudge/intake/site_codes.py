"""What is refused of a file of sites, row by row."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class SiteCode(Code):
    """Why a row of a sites file cannot be drawn. Facts are rows and names from an experiment file, never a cell."""

    SITE_TWICE = ("each site once (this one stands in row {first} already)", "Remove one of the two rows.")
    POSITION_TWICE = (
        "sites at places of their own (row {first} has the same position)",
        "Correct the position, or remove one of the two: one place cannot have two signs.",
    )
    CONSENT_MISSING = (
        "the owner's consent: yes",
        "Ask the owner of the wall, post or land; without consent no sign goes up there, so take the site out.",
    )
    CONSENT_UNDATED = (
        "the day of the consent, and who gave it",
        "Fill in `consent on` and `consent by`: a consent that nobody can look up is none.",
    )
    CONSENT_FUTURE = ("a consent given today or before", "Correct the day.")
    HIGHWAY_UNKNOWN = (
        "yes or no: does the sign stand on the highway",
        "Verges, lamp columns and footways are highway. Ask the highway authority where you are not sure.",
    )
    AUTHORISATION_MISSING = (
        "the highway authority's reference for a sign on the highway",
        "Fill in `authorisation`, or find a place beside the highway whose owner agrees.",
    )
    POSITION_HALF = ("latitude and longitude, or neither", "Fill in the other one, or clear both.")
    POSITION_OUTSIDE = (
        "a latitude from 49 to 61 and a longitude from -9 to 3, in degrees",
        "Copy them from a map in that order; eastings and northings are not read.",
    )
    SIZE_UNKNOWN = (
        "a size of A4, A3, A2, A1, 600x450 or 900x600",
        "Correct it, or leave it blank for the size of the experiment.",
    )
    ORIENTATION_UNKNOWN = (
        "portrait or landscape",
        "Correct it, or leave it blank for that of the experiment.",
    )
    WATCHES_NOBODY = (
        "a site of this file that gets a sign, as the one that this is watched for",
        "Write the id of that site in `displacement of`, or leave it blank to draw this site itself.",
    )
    NOT_MEASURED = ("a value that the draw needs", "Fill it in: a site is drawn by what was known of it before.")
