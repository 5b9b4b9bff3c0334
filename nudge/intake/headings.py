"""The headings that housing, telephone and payment systems use, as data. Matching ignores case, spaces and marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from nudge.base.columns import Kind
from nudge.intake.mapping import Wanted

_REFERENCE: Final = (
    *("Tenancy Ref", "Tenancy Reference", "Tenancy No", "Tenancy Number", "Tenancy ID", "Tenancy"),
    *("Tenancy Agreement Ref", "Tenant Ref", "Tenant Reference", "Tag Ref", "Ten Ref", "Rent Ref"),
    *("Rent Account", "Rent Account No", "Rent Account Number", "Rent Account Ref", "Rent Acc No"),
)
_ANY_REFERENCE: Final = (
    *("Ref", "Reference", "Ref No", "Reference No", "Reference Number", "Account", "Account Ref", "Account No"),
    *("Account Number", "Acc Ref", "Acc No", "Case Ref", "Case ID"),
    *("Person Ref", "Person ID", "Resident Ref", "Customer Ref", "Customer No", "Client Ref", "Client No"),
    *("Enquiry Ref", "Enquiry No", "Member Ref", "Member No", "Membership No", "Volunteer Ref", "Volunteer No"),
    *("Staff No", "Staff Number", "Employee No", "Employee Number", "Payroll No", "Appointment Ref", "Booking Ref"),
)
_PAYMENT_REFERENCE: Final = (
    *("Pay Ref", "Payment Ref", "Payment Reference", "Pay Reference", "Payment Ref No", "Rent Pay Ref"),
    *("Payment Number", "Swipe Card No", "Rent Card No"),
)
_LETTER_REFERENCE: Final = (
    *("Letter Ref", "Letter Reference", "Letter ID", "Letter No", "Our Ref", "Our Reference", "Quoted Ref"),
    *("Reference Quoted", "Ref Quoted", "Letter Code"),
)
_TELEPHONE: Final = (
    *("Telephone", "Telephone No", "Telephone Number", "Tel", "Tel No", "Phone", "Phone No", "Phone Number"),
    *("Home Tel", "Home Phone", "Home Telephone", "Landline"),
)
_MOBILE: Final = ("Mobile", "Mobile No", "Mobile Number", "Mobile Phone", "Mob", "Mob No", "Mobile Tel")
_CALLER: Final = (*_TELEPHONE, *_MOBILE, "Caller ID", "CLI", "Caller No", "Caller Number", "From Number", "Contact No")
_SURNAME: Final = ("Surname", "Last Name", "Family Name", "Tenant Surname")
_BALANCE: Final = (
    *("Arrears", "Current Bal", "Current Balance", "Curr Bal", "Cur Bal", "Balance", "Acc Balance"),
    *("Account Balance", "Rent Balance", "Rent Arrears", "Arrears Balance", "Arrears Amount", "Collectable Arrears"),
)

# What experiments commonly ask of an extract, and how the systems head it. The declared name itself always fits.
DECLARED: Final[Mapping[str, tuple[str, ...]]] = {
    "arrears": _BALANCE,
    "balance": _BALANCE,
    "weeks_in_arrears": ("Wks In Arrs", "Wks In Arrears", "Weeks In Arrears", "Weeks Arrears", "Wks Arrs"),
    "days_in_arrears": ("Days In Arrs", "Days In Arrears"),
    "weekly_rent": ("Weekly Rent", "Wkly Rent", "Rent", "Rent pw", "Gross Rent"),
    "stage": ("Stage", "Arrears Stage", "Action Stage", "Current Stage", "Escalation Stage", "Last Action"),
    "patch": ("Patch", "Patch Code", "Officer Patch", "Area Patch", "Housing Patch"),
    "street": ("Street", "Street Name", "Road", "Road Name"),
    "team": ("Team", "Team Name", "Section"),
    "directorate": ("Directorate", "Department", "Dept"),
    "age": ("Age", "Age In Years"),
    "lives_alone": ("Lives Alone", "Lives On Own", "Living Alone"),
    "appointment_on": ("Appointment Date", "Appt Date", "Date Of Appointment", "Appt On"),
    "appointment_at": ("Appointment Time", "Appt Time", "Time Of Appointment"),
    "appointment_place": ("Appointment Place", "Appt Place", "Location", "Clinic Address"),
    "appointment_with": ("Appointment With", "Appt With", "Clinician", "Seen By"),
    "ward": ("Ward", "Ward Name", "Ward Code"),
    "agreement": ("Agreement", "Active Agreement", "Live Agreement", "Agreement In Place", "Repayment Agreement"),
    "nosp_served": ("NOSP Served", "NOSP", "NSP Served", "NOSP Served Date", "Notice Served"),
    "court_date": ("Court Date", "Courtdate", "Court Dt", "Hearing Date", "Court Hearing"),
    "vacated": ("Vacated", "Void", "Moved Out", "Tenancy Ended", "Vacated Date", "Former Tenant"),
    "last_payment_date": ("Last Pay Dt", "Last Payment Date", "Last Pay Date"),
    "last_payment": ("Last Pay Amt", "Last Payment Amount", "Last Payment"),
    "universal_credit": ("UC", "Universal Credit", "HB/UC"),
    "direct_debit": ("DD", "Direct Debit"),
    "vulnerable": ("Vuln Flag", "Vulnerable", "Vulnerability", "Vulnerability Flag"),
    "do_not_contact": ("DNC", "Do Not Contact"),
}

PEOPLE: Final = 4
"""Sets of name columns that are looked for in one row: the tenant and up to three joint tenants."""
LINES: Final = 7
"""Address columns that are looked for."""


def _people(number: int) -> tuple[Wanted, ...]:
    """Columns title, forename, surname and whole name of one tenant; those of joint tenants end in their number."""
    before: tuple[str, ...] = ("", "Tenant ", "Tenant 1 ", "Main Tenant ", "First Tenant ")
    after, end = f" {number}", "" if number == 1 else f"_{number}"
    if number > 1:
        before = (f"Tenant {number} ", f"Joint Tenant {number - 1} ", f"Joint {number - 1} ", f"T{number} ")
    if number == 2:
        before += ("Joint ", "Joint Tenant ", "Second Tenant ", "Second ", "Partner ", "Jnt ", "JT ")

    def named(*plain: str) -> tuple[str, ...]:
        return tuple(f"{start}{word}" for word in plain for start in before) + tuple(
            f"{word}{after}" for word in plain if word
        )

    whole = ("Name", "Full Name") if number == 1 else ("Name", "Full Name", "")
    extra = ("Tenant", "Tenants", "Tenant Name(s)", "Tenancy Name", "Addressee", "Occupier") if number == 1 else ()
    return (
        Wanted(f"title{end}", words=named("Title")),
        Wanted(f"forename{end}", words=named("Forename", "Forenames", "First Name", "Given Name", "Initials", "Inits")),
        Wanted(f"surname{end}", words=named("Surname", "Last Name", "Family Name")),
        Wanted(f"name{end}", words=(*named(*whole), *extra)),
    )


def _address(prefix: str, before: tuple[str, ...]) -> tuple[Wanted, ...]:
    """Columns address_1 … address_7, the whole address in one cell, and the postcode, all behind a prefix."""
    lines = tuple(
        Wanted(
            f"{prefix}address_{number}",
            words=tuple(
                f"{start}{word}{number}"
                for start in before
                for word in ("Addr", "Address ", "Address Line ", "Addr Line ", "Add", "Line ", "Address Ln ")
            ),
        )
        for number in range(1, LINES + 1)
    )
    whole = tuple(f"{start}{word}" for start in before for word in ("Address", "Full Address", "Addr"))
    codes = tuple(f"{start}{word}" for start in before for word in ("Postcode", "Post Code", "PCode", "Pst Cd", "PC"))
    return (*lines, Wanted(f"{prefix}address", words=whole), Wanted(f"{prefix}postcode", words=codes))


_HOME: Final = ("", "Property ", "Prop ", "Tenancy ", "Home ")
_POST: Final = ("Corr ", "Correspondence ", "Corres ", "Postal ", "Mailing ", "Contact ", "Forwarding ")

TENANCY: Final[tuple[Wanted, ...]] = (
    Wanted("reference", words=_REFERENCE, compulsory=True, weaker=_ANY_REFERENCE),
    Wanted("payment_reference", words=_PAYMENT_REFERENCE),
    Wanted("uprn", words=("UPRN", "Property UPRN", "UPRN No")),
    *(one for number in range(1, PEOPLE + 1) for one in _people(number)),
    *_address("", _HOME),
    *_address("post_", _POST),
    Wanted("care_of", words=("c/o", "Care Of")),
    Wanted("telephone", words=_TELEPHONE),
    Wanted("telephone_2", words=("Work Tel", "Work Phone", "Telephone 2", "Tel 2", "Phone 2", "Alt Tel")),
    Wanted("mobile", words=_MOBILE),
    Wanted("mobile_2", words=("Mobile 2", "Joint Mobile", "Mob 2")),
    Wanted("language", words=("Preferred Lang", "Preferred Language", "Pref Lang", "Language", "Lang")),
    Wanted("format", words=("Pref Format", "Preferred Format", "Letter Format", "Accessible Format", "Alt Format")),
)

SUPPRESSION: Final[tuple[Wanted, ...]] = (
    Wanted("reference", words=_REFERENCE, compulsory=True, weaker=_ANY_REFERENCE),
    Wanted("reason", words=("Reason", "Reason Code", "Suppression Reason", "Flag", "Type"), compulsory=True),
    Wanted("from", Kind.DATE, ("From", "From Date", "Start", "Start Date", "Since", "Date From")),
    Wanted("until", Kind.DATE, ("Until", "To", "To Date", "End", "End Date", "Expires", "Expiry", "Date To")),
)

HISTORY: Final[tuple[Wanted, ...]] = (
    Wanted("reference", words=_REFERENCE, compulsory=True, weaker=_ANY_REFERENCE),
    Wanted("household", words=("Household", "Household ID", "Household Ref", "Household Key")),
    Wanted(
        "letter_on",
        Kind.DATE,
        ("Letter On", "Letter Date", "Date Of Letter", "Letter Sent", "Letter Sent On", "First Letter", "Sent On"),
        compulsory=True,
    ),
)
HISTORY_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "agreed": ("Agreed On", "Agreement Date", "Date Agreed", "Agreed"),
    "contact": ("Contact On", "Contact Date", "First Contact", "Date Of Contact", "Contacted On"),
    "payment": ("Payment On", "Payment Date", "First Payment", "Paid On", "Date Paid"),
}

_IDENTIFIERS: Final = (
    Wanted("tenancy_reference", words=_REFERENCE, weaker=_ANY_REFERENCE),
    Wanted("payment_reference", words=_PAYMENT_REFERENCE),
    Wanted("letter_reference", words=_LETTER_REFERENCE),
    Wanted("telephone", words=_CALLER),
    Wanted("surname", words=_SURNAME),
    Wanted("name", words=("Name", "Caller", "Caller Name", "Customer Name", "Tenant Name", "Tenant", "Full Name")),
    Wanted("uprn", words=("UPRN",)),
    Wanted(
        "logged_on", Kind.DATE, ("Logged On", "Date Logged", "Logged", "Log Date", "Created", "Created On", "Entered")
    ),
)


def _dated(*words: str) -> Wanted:
    return Wanted("on", Kind.DATE, words, compulsory=True, weaker=("Date", "Date Time", "Day", "When"))


def _identified(*extra: Wanted, compulsory: tuple[str, ...] = ()) -> tuple[Wanted, ...]:
    own = {one.name for one in extra}
    kept = (one for one in _IDENTIFIERS if one.name not in own)
    return (
        *extra,
        *(Wanted(one.name, one.kind, one.words, one.name in compulsory, one.weaker) for one in kept),
    )


RESPONSES: Final[Mapping[str, tuple[Wanted, ...]]] = {
    "contacts": _identified(
        _dated("Date Time", "Contact Date", "Date Of Contact", "Call Date", "Contact Date Time", "Interaction Date"),
        Wanted("direction", words=("Direction", "In/Out", "Inbound/Outbound", "Call Direction"), compulsory=True),
        Wanted("channel", words=("Channel", "Method", "Contact Method", "Contact Type", "Media")),
        Wanted("reason", words=("Reason", "Reason Code", "Contact Reason", "Call Reason", "Subject", "Topic")),
    ),
    "payments": _identified(
        _dated("Post Date", "Posted", "Posting Date", "Payment Date", "Pay Date", "Transaction Date", "Trans Date"),
        Wanted(
            "amount", Kind.MONEY, ("Amount", "Amt", "Value", "Payment Amount", "Trans Amount", "Paid"), compulsory=True
        ),
        Wanted(
            "code",
            words=(
                "Code",
                "Type Code",
                "Trans Type",
                "Transaction Type",
                "Transaction Code",
                "Pay Type",
                "Type",
                "Method",
            ),
        ),
        Wanted("payment_reference", words=_PAYMENT_REFERENCE, weaker=_ANY_REFERENCE),
    ),
    "returned": _identified(
        _dated("Returned On", "Date Returned", "Return Date", "Returned"),
        Wanted("letter_reference", words=_LETTER_REFERENCE, compulsory=True, weaker=_ANY_REFERENCE),
        Wanted("reason", words=("Reason", "Return Reason", "Reason Returned")),
    ),
    "complaints": _identified(
        _dated("Complaint Date", "Complained On", "Received", "Date Received", "Received On"),
        Wanted("reason", words=("Complaint", "Complaint Type", "Complaint Reason", "Category"), weaker=("Reason",)),
    ),
    "moved": _identified(
        _dated("Moved On", "Move Date", "Vacated On", "Date Vacated", "End Date", "Tenancy End Date", "Event Date"),
        Wanted(
            "what", words=("What", "Event", "Change", "End Reason", "Termination Reason", "Status"), compulsory=True
        ),
        compulsory=("tenancy_reference",),
    ),
    "breathing_space": _identified(
        _dated("Start", "Start Date", "From", "Breathing Space Start", "Moratorium Start", "Moratorium Start Date"),
        Wanted("until", Kind.DATE, ("Until", "End", "End Date", "Moratorium End", "Moratorium End Date")),
        compulsory=("tenancy_reference",),
    ),
    "rent_accounts": _identified(
        _dated("Balance Date", "As At", "As Of", "Balance On", "Snapshot Date"),
        Wanted("arrears", Kind.MONEY, _BALANCE, compulsory=True),
        compulsory=("tenancy_reference",),
    ),
}

# A heading that gives its kind away. Without one, or with those of two kinds, the kind is asked for.
TELLS: Final[Mapping[str, tuple[str, ...]]] = {
    "contacts": ("Direction", "In/Out", "Inbound/Outbound", "Call Direction"),
    "payments": ("Amount", "Amt", "Payment Amount", "Trans Amount", "Post Date", "Trans Type", "Transaction Type"),
    "returned": ("Returned On", "Date Returned", "Return Date", "Returned", "Return Reason", "Reason Returned"),
    "complaints": ("Complaint", "Complaint Date", "Complained On", "Complaint Type", "Complaint Reason"),
    "moved": ("Moved On", "Move Date", "Vacated On", "Date Vacated", "Tenancy End Date", "Termination Reason", "What"),
    "breathing_space": ("Breathing Space Start", "Breathing Space", "Moratorium Start", "Moratorium Start Date"),
    "rent_accounts": _BALANCE,
}


def declared(kinds: Mapping[str, Kind]) -> tuple[Wanted, ...]:
    """The columns an experiment declares; each is compulsory, and goes by its own name or a known heading."""
    return tuple(Wanted(name, kind, DECLARED.get(name, ()), compulsory=True) for name, kind in kinds.items())


def words_of(wanted: Iterable[Wanted]) -> tuple[str, ...]:
    """Every heading by which any of these goes, the usual one of each first."""
    wanted = tuple(wanted)
    usual = [one.words[0] if one.words else one.name for one in wanted]
    return tuple(dict.fromkeys([*usual, *(word for one in wanted for word in (*one.words, *one.weaker, one.name))]))


_SITE: Final = (
    *("Site ID", "Site Ref", "Site Reference", "Site No", "Site Number", "Site Code", "Location ID", "Location Ref"),
    *("Counter", "Counter ID", "Device", "Device ID", "Path ID", "Route ID"),
)
_LATITUDE: Final = Wanted("latitude", Kind.NUMBER, ("Lat",))
_LONGITUDE: Final = Wanted("longitude", Kind.NUMBER, ("Lon", "Long", "Lng"))

# What was read at the sites of a trial of signs.
READINGS: Final[Mapping[str, tuple[Wanted, ...]]] = {
    "incidents": (
        _dated("Reported On", "Date Reported", "Reported", "Report Date", "Incident Date", "Created", "Requested"),
        Wanted(
            "incident",
            words=(
                *("Incident ID", "Incident Ref", "Incident No", "Incident Number", "Case ID", "Case Ref"),
                *("Report ID", "Report Ref", "Service Request ID", "Enquiry Ref"),
            ),
            weaker=("ID", "Ref", "Reference"),
        ),
        Wanted("site", words=_SITE, weaker=("Site Name", "Site")),
        Wanted("street", words=("Street", "Street Name", "Road", "Road Name"), weaker=("Location", "Address")),
        _LATITUDE,
        _LONGITUDE,
        Wanted(
            "what",
            words=("What", "Waste Type", "Type Of Waste", "Waste", "Fly Tip Type"),
            weaker=("Type", "Category", "Survey"),
        ),
        Wanted("land", words=("Land Type", "Type Of Land", "Land")),
        Wanted("size", words=("Size", "Size Class", "Size Of Tip", "Fly Tip Size", "Load", "Quantity")),
        Wanted("source", words=("Source", "Reported By", "Channel", "Reported Via", "How Reported")),
        Wanted("time", words=("Time", "Time Reported", "Report Time")),
    ),
    "surveys": (
        _dated("Surveyed On", "Survey Date", "Date Surveyed", "Date Of Survey", "Counted On", "Inspection Date"),
        Wanted("site", words=_SITE, compulsory=True, weaker=("Site Name", "Path", "Route")),
        Wanted("what", words=("What", "Survey", "Survey Type", "Counted What"), weaker=("Type", "Category")),
        Wanted(
            "number",
            Kind.NUMBER,
            ("Count", "Counted", "Deposits", "Deposits Counted", "Items", "Items Counted", "Total"),
            compulsory=True,
        ),
        Wanted(
            "exposure",
            Kind.NUMBER,
            (
                *("Exposure Days", "Days", "Days Since Cleared", "Days Since Last Cleared", "Days Since Clearing"),
                *("Days Since Last Clearing", "Days Counted", "Days Since Last Survey"),
            ),
        ),
        Wanted(
            "route_length",
            Kind.NUMBER,
            (
                *(
                    "Route Length M",
                    "Route Length Km",
                    "Route Length Metres",
                    "Route Length",
                    "Route Metres",
                    "Route Km",
                ),
                *("Length M", "Length Km", "Length Metres", "Length", "Path Length", "Path Length M", "Metres Walked"),
            ),
        ),
        Wanted("cleared", Kind.FLAG, ("Cleared", "Site Cleared", "All Cleared", "Picked Up", "Removed")),
    ),
    "speeds": (
        _dated("Measured On", "Reading Date", "Date Measured", "Count Date", "Survey Date"),
        Wanted("site", words=_SITE, weaker=("Site Name", "Location")),
        Wanted("time", words=("Time", "Hour", "Time Of Day", "Hour Beginning", "Hour Starting", "Period", "Interval")),
        Wanted(
            "speed",
            Kind.NUMBER,
            (
                "Speed MPH",
                "Speed (mph)",
                "Speed KMH",
                "Speed (km/h)",
                "Speed KPH",
                "MPH",
                "KMH",
                "KPH",
                "Vehicle Speed",
            ),
        ),
        Wanted("unit", words=("Unit", "Units", "Speed Unit", "Speed Units")),
        Wanted(
            "lower",
            Kind.NUMBER,
            (
                *("From", "From MPH", "From KMH", "Speed From", "Band From", "Lower Edge", "Band Lower", "Lower Speed"),
                *("Lower MPH", "Lower KMH", "Bin Lower", "Min Speed"),
            ),
        ),
        Wanted(
            "upper",
            Kind.NUMBER,
            (
                *("To", "To MPH", "To KMH", "Speed To", "Band To", "Upper Edge", "Band Upper", "Upper Speed"),
                *("Upper MPH", "Upper KMH", "Bin Upper", "Max Speed Of Band"),
            ),
        ),
        Wanted("number", Kind.NUMBER, ("Vehicles", "Count", "Volume", "Vehicle Count", "No Of Vehicles", "Flow")),
        Wanted("direction", words=("Direction", "Dir", "Direction Of Travel", "Bound", "Lane")),
    ),
}
