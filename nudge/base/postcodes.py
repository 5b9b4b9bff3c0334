"""UK postcodes: the shapes that Royal Mail allocates, in areas that there are.

The 124 areas are those of Great Britain, Northern Ireland, Guernsey, Jersey and the Isle of Man, as Royal Mail and the
Office for National Statistics list them (ONS Postcode Directory; Wikipedia, "List of postcode areas in the United
Kingdom"). Whether a postcode is in use is for the Postcode Address File to say, which a council has and nudge has not.
"""

from __future__ import annotations

import re
from typing import Final

AREAS: Final = frozenset(
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH "
    "EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M "
    "ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST "
    "SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE".split()
)
WITHOUT_A_PLACE: Final = frozenset({"BF", "BX"})
"""Areas of no place: the forces' post, and large organisations wherever they are."""
INVENTED: Final = "ZZ"
"""Nobody's area: rehearsals, demonstrations and tests write to it, and no letter could reach anyone by it."""
_LETTERED: Final = frozenset({"E", "EC", "N", "NW", "SE", "SW", "W", "WC"})  # London: districts that end in a letter
_SHAPE: Final = re.compile(r"(([A-Z]{1,2})[0-9](?:[0-9]|([A-HJKMNP-Y]))?)([0-9][ABD-HJLNP-UW-Z]{2})")


def postcode(text: str) -> str | None:
    """`AA9 9AA` from any spacing or case; None where no UK postcode could be that.

    GIR 0AA, long retired, and GX11 1AA, which is Gibraltar's, are none.
    """
    match = _SHAPE.fullmatch(re.sub(r"\s+", "", text.upper()))
    if match is None:
        return None
    district, area, letter, rest = match.groups()
    if area not in AREAS and area not in WITHOUT_A_PLACE and area != INVENTED:
        return None
    if letter and area not in _LETTERED:
        return None
    return f"{district} {rest}"
