"""Invented people and places. No council, street or postcode area here exists; telephone numbers are the ranges that
Ofcom keeps for drama, and ZZ is no postcode area."""

from __future__ import annotations

from typing import Final


def _listed(*lines: str) -> tuple[str, ...]:
    return tuple(name for line in lines for name in line.split(", "))


COUNCIL: Final = "Wealdshire District Council"
PATCHES: Final = ("North", "South", "East", "Coast")
TOWNS: Final = {
    "North": ("Aldermere", "ZZ1"),
    "South": ("Oldwick St Mary", "ZZ2"),
    "East": ("Brackenholt", "ZZ3"),
    "Coast": ("Saltmarsh Haven", "ZZ4"),
}
COUNTY: Final = "Wealdshire"
STREETS: Final = _listed(
    "Foxglove Close, Lapwing Road, Old Tannery Lane, Meadowsweet Way, Harebell Drive, Coopers Yard, Saddlers Row",
    "Windmill Rise, Larkspur Avenue, Priory Field, Beacon View, Teasel Gardens, Kiln Lane, Chalkpit Terrace",
    "St Wilfrid’s Road, Smugglers’ Walk, Orchard Court, Millrace Lane, Hawthorn Crescent, Drover’s Way",
    "Quarry Bank, Fuller’s Green, Heron Mead, Ropewalk, Sexton’s Piece, Juniper Court, Weavers Fold",
    "Shepherd’s Down, Ashdene Road, Tollgate Hill",
)
HOUSES: Final = ("Kestrel House", "Pilgrim Court", "Marlow Point", "Rowan House")
MEN: Final = _listed(
    "Alan, Abdul, Andrzej, Ben, Callum, Darius, Edwin, Farhan, George, Hamish, Ivor, José, Kofi, Leon, Mohammed",
    "Nathan, Owen, Piotr, Quentin, Raj, Stefan, Tomasz, Umar, Victor, Winston, Yusuf",
)
WOMEN: Final = _listed(
    "Aisha, Beth, Carys, Deborah, Eleni, Fatima, Grace, Hannah, Ines, Joanna, Karen, Lucía, Mei, Niamh, Olga, Priya",
    "Renée, Siân, Tanya, Ursula, Violet, Wanjiru, Yasmin, Zoë, Chloë, Margaret",
)
SURNAMES: Final = _listed(
    "Adeyemi, Ashdown, Bailey, Begum, Brzezinski, Carter, Chaudhry, D’Souza, Dunmore, Ekwueme, Fairweather, Fernández",
    "Fletcher, Gallagher, Green, Hargreaves, Hussain, Ibbotson, Iqbal, Jankowski, Jones, Kaur, Khan, Kowalczyk",
    "Lambert, Lewis, MacAllister, Marsh, McBride, Mensah, Müller, Nowak, O’Brien, O’Neill, Okafor, Osei, Patel",
    "Pettigrew, Popescu, Quirke, Rahman, Ridley, Rossi, Saunders, Sharma, Smith-Jones, Stanbrook, Taylor, Thorne",
    "Underhill, Vasquez, Walsh, Whitlock, Wójcik, Yeboah, Young, Zielinski, van der Berg, de Souza, St John",
)
CARERS: Final = ("Mrs P Whitlock", "Age Support Wealdshire", "Wealdshire Advice Centre", "Mr T Osei")
TELEPHONES: Final = tuple(
    f"{area}{number:03d}"
    for area in ("01632 960", "07700 900", "0117 496 0", "0113 496 0", "0161 496 0", "020 7946 0")
    for number in range(1000)
)
"""Six thousand numbers that nobody has."""
LETTERS: Final = "ABDEFGHJLNPQRSTUWXYZ"
"""Letters that the second half of a postcode may hold."""
