"""Every refusal of the intake room, worded once: files that are refused, and rows that are set aside."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class FileCode(Code):
    """Why a whole file is refused: nothing of it is read."""

    FILE_ABSENT = ("a file here", "Check the name and the folder.")
    FILE_EMPTY = ("a file with a heading row and rows below it; this one is empty", "Export it again.")
    NO_ROWS = (
        "at least one row below the headings; there are none",
        "Export again, and check the filter or date range of the report.",
    )
    FILE_NOT_A_TABLE = (
        "a CSV or XLSX file; this is {what}",
        "Open it where it was made and save it as CSV UTF-8 or XLSX.",
    )
    WORKBOOK_LOCKED = ("a workbook without a password", "Save a copy without the password, in your private folder.")
    WORKBOOK_DAMAGED = ("a whole workbook; this one cannot be opened", "Open it in Excel and save it again as XLSX.")
    WORKBOOK_TOO_LARGE = (
        "a workbook of at most {limit} MB once unpacked; this is {size} MB",
        "Save the sheet as CSV UTF-8: a CSV file may be any size.",
    )
    ARCHIVE_DAMAGED = ("a whole .gz file; this one breaks off or is damaged", "Copy or compress the file again.")
    SHEET_UNCLEAR = ("one sheet with rows; there are {count}: {sheets}", 'Say which: --sheet "{first}".')
    SHEET_ABSENT = ("one of the visible sheets {sheets}", "Check the name given with --sheet.")
    ROWS_HIDDEN = (
        "a sheet without hidden rows; hidden here, by a filter perhaps: {count}, the first of them row {first}",
        "Show all rows and delete those that should not be read, then save.",
    )
    FORMULA_ERRORS = (
        "a value in every cell; cells with an Excel error such as #N/A: {count}, the first of them {first}",
        "Mend the formulas, or paste the sheet as values and correct those cells.",
    )
    HEADINGS_MERGED = (
        "one heading to a column; headings in row {row} are merged across columns",
        "Unmerge the heading cells, give every column its own heading, and save.",
    )
    ENCODING_UNKNOWN = ("an encoding that Python knows; {encoding} is none", "Use one of {known}.")
    ENCODING_NEEDED_UTF16 = (
        "a byte-order mark at the start of a UTF-16 file; there is none",
        "Add --encoding {encoding}, or save the file as CSV UTF-8.",
    )
    ENCODING_UNSURE = (
        "text in UTF-8 or Windows-1252; in {rows} it reads better as {encoding}",
        "Look at a £ or an accent in those rows, then add --encoding {encoding} or --encoding cp1252.",
    )
    ENCODING_FAILS = (
        "text in {encoding}; {rows} cannot be read so",
        "Export again as CSV UTF-8, or name the encoding with --encoding.",
    )
    TWO_ENCODINGS = (
        "text in one encoding; in {rows} it is UTF-8, elsewhere Windows-1252",
        "Export again as CSV UTF-8; two files may have been joined into one.",
    )
    TEXT_GARBLED = (
        "accents and £ signs as typed; they were decoded wrongly before they reached this file in {rows}",
        "Export again from the housing system as CSV UTF-8, without opening it in between.",
    )
    NUL_BYTES = ("text without NUL bytes, which are in {rows}", "The file is damaged or no text file: export it again.")
    QUOTE_UNCLOSED = (
        "every quotation mark closed and doubled inside quotes; the record that starts in row {row} is not",
        "Correct the quotation marks of that row, or export again.",
    )
    DELIMITER_UNCLEAR = (
        "columns parted by commas, semicolons, tabs or bars; the heading row fits {choices} equally",
        "Export again as CSV with commas.",
    )
    HEADINGS_NOT_FOUND = (
        "a heading row with words such as {examples} in the first {limit} rows",
        'Give the columns headings, or name them: --column {example}="…".',
    )
    HEADINGS_NONE = (
        "a heading row, as wide as the rows below it, in the first {limit} rows",
        "Give every column a heading.",
    )
    HEADING_TWICE = (
        "each heading once; {heading} heads columns {columns}",
        "Rename or delete one of them and save.",
    )
    HEADING_ABSENT = (
        "a column for {wanted}{nearest}",
        'Add it to the export, or say which it is: --column {wanted}="Heading".',
    )
    HEADING_UNCLEAR = (
        "one column for {wanted}; it could be {candidates}",
        'Say which it is: --column {wanted}="{first}".',
    )
    HEADING_GONE = (
        "the column {heading}, which was learnt for {wanted}{nearest}",
        'Put it back in the export, or say which it is now: --column {wanted}="Heading"{absent}.',
    )
    COLUMN_OPTION_SHAPE = ('a column as name="Heading"', 'For example --column reference="Tenancy Ref".')
    MAPPING_UNREADABLE = ("column names as nudge wrote them", "Delete the file; the columns are asked for again.")
    DATES_MONTH_FIRST = (
        "days before months in {heading}; the second number is above 12 in {rows}",
        "The column is month first (American): set it to YYYY-MM-DD or dd/mm/yyyy and export again.",
    )
    TOO_MANY_REJECTS = (
        "at most {limit} rows at fault",
        "So many faults have one cause: check the columns ({headings} most often) and export again.",
    )
    REASON_BLANK = (
        "a reason in every row; there is none in {rows}",
        "Write one, such as breathing_space or do_not_contact.",
    )
    SUPPRESSION_REFERENCE = (
        "a whole reference in every row; {rows}: {reason}",
        "Export the list again with that column as text: a damaged reference protects nobody.",
    )
    SUPPRESSION_ROW = (
        "{what} in every row; not so in {rows}",
        "Correct those rows: a list is read whole or not at all.",
    )
    SUPPRESSION_ENDS_FIRST = ("until on or after from; in {rows} it is earlier", "Correct those dates.")
    KIND_UNCLEAR = (
        "a file of one known kind; the headings fit {choices}",
        "Say which it is: --kind {example}.",
    )
    KIND_UNKNOWN = ("one of the kinds {valid}; {kind} is none", "Use one of them with --kind.")
    OUTSIDE_COVERAGE = (
        "every row dated from {first} to {last}, as the file is said to cover; outside: {count} of {rows} rows",
        "State the dates that the file covers, or export it again for those dates.",
    )
    COVERAGE_REVERSED = ("a first day on or before the last; {first} is after {last}", "Give the earlier day first.")
    PAYMENT_SIGNS_UNCLEAR = (
        "payments received as positive amounts; negative here: {negative} of {rows}",
        "Write money received as positive amounts and reversals as negative ones.",
    )
    SPEEDS_SUMMARISED = (
        "the speed of each vehicle, or numbers of vehicles in bands; what stands under {found} sums up many already:"
        " the means or 85th percentiles of days cannot be put together",
        "Ask the supplier for the individual vehicle records of those days, or for counts in bands of 5 mph by hour.",
    )
    SPEED_UNIT_UNSTATED = (
        "speeds said to be in mph or in km/h, and not both",
        "Write the unit in a heading: `speed (mph)`, `from mph`, `20-25 mph`.",
    )
    BANDS_UNCLEAR = (
        "bands of speed in order, none over another, none left out between, only the top one open",
        "Correct the bands: 0-20, 20-25, 25-30 and so on to 60+, or 16-20, 21-25 and so on of whole speeds. "
        "Give those without vehicles too.",
    )
    BAND_UNREAD = (
        'bands of speed told by their headings ("{heading}" may be one)',
        "Head it as 20-25, <20 or 60+, or leave the column out: its vehicles would be lost.",
    )
    ROUTE_UNIT_UNSTATED = (
        "a route length in metres or kilometres",
        "Write the unit in the heading: `route length (m)` or `route length (km)`.",
    )


@unique
class RowCode(Code):
    """Why one row is set aside: its reason, what was expected in its place, and one fix."""

    def __init__(self, reason: str, expected: str, fix: str) -> None:
        super().__init__(expected, fix)
        self.reason = reason

    ROW_RAGGED = (
        "the row has {found} cells, the headings {wanted}",
        "as many cells as headings",
        "Look for a stray or missing separator in this row, and export again.",
    )
    CELL_ERROR = (
        "the cell shows an Excel error",
        "a value, not an Excel error such as #N/A or ####",
        "Mend the cell or its formula.",
    )
    CELL_CUT_SHORT = (
        "the text fills the cell to its limit of {length} characters, so it was cut short",
        "text shorter than 255 characters",
        "Export from the housing system again, without a spreadsheet in between.",
    )
    CELL_INVISIBLE = (
        "the cell holds characters that cannot be seen",
        "letters, digits and punctuation only",
        "Type the cell again in the housing system.",
    )
    CELL_GARBLED = (
        "accents or £ signs of the cell were decoded wrongly before it reached this file",
        "accents and £ signs as typed",
        "Type the cell again, or export from the housing system once more.",
    )
    CELL_UNREADABLE = ("this is not {expected}", "{expected}", "Correct the cell, or leave it blank if not known.")
    REFERENCE_BLANK = ("there is no reference", "a reference", "Fill in the tenancy reference.")
    REFERENCE_ZEROS = (
        "reference has lost its leading zeros",
        "a reference of {length} digits, as the others have",
        "Export again with the column as text; do not save the file in Excel.",
    )
    REFERENCE_SCIENTIFIC = (
        "reference is in scientific form, so its digits are lost",
        "a reference in full",
        "Export again with the column as text; do not save the file in Excel.",
    )
    REFERENCE_DECIMAL = (
        "reference has a decimal point, so it was treated as a number",
        "a reference as text",
        "Export again with the column as text.",
    )
    REFERENCE_DATE = (
        "reference was turned into a date",
        "a reference as text",
        "Export again with the column as text; do not save the file in Excel.",
    )
    REFERENCE_SHAPE = (
        "reference holds no letter or digit, or starts with a mark that Excel adds",
        "a reference of letters and digits",
        "Correct the reference.",
    )
    NAME_BLANK = ("there is no name", "a surname with a title or forename", "Fill in the tenant's name.")
    NAME_INCOMPLETE = (
        "the name is only part of one",
        "a surname with a title or forename",
        "Give title or forename, and surname, each in its own column.",
    )
    NAME_UNCLEAR = (
        "the name cannot be read with certainty",
        "one person, or two as Mr A Jones & Mrs B Smith",
        "Give title, forename and surname in columns of their own, one row for each tenant.",
    )
    NAME_NOBODY = (
        "the name is not a person's",
        "the name of a tenant",
        "Fill in the tenant's name, or leave the row out if the home is empty.",
    )
    NAME_ORGANISATION = (
        "the tenant is an organisation",
        "the name of a person",
        "Leave the row out and write to the organisation yourself.",
    )
    NAME_DECEASED = (
        "the tenant has died",
        "a living tenant",
        "Leave the row out: a person must write to the family or executors.",
    )
    TITLE_UNKNOWN = (
        "the title is not one that is known",
        "a title such as Mr, Mrs, Ms or Dr, or none",
        "Correct the title, or leave it blank: the letter then uses the full name.",
    )
    JOINT_NAME_MISSING = (
        "a joint tenancy with one name only",
        "the names of both tenants",
        "Give the other tenant a row, or a second set of name columns.",
    )
    JOINT_NAMES_ALIKE = (
        "two rows name people who may be one person",
        "the same spelling of a name in every row of the tenancy",
        "Make the names of this tenancy agree.",
    )
    ADDRESS_BLANK = ("there is no address", "an address of 2 to 7 lines below the name", "Fill in the address.")
    ADDRESS_TOO_SHORT = (
        "the address is a postcode alone",
        "2 to 7 lines below the name, the last a postcode",
        "Give house and street, town, and postcode.",
    )
    ADDRESS_TOO_LONG = (
        "the address has {found} lines",
        "2 to 7 lines below the name, the last a postcode",
        "Join lines, such as flat and house, until there are at most seven.",
    )
    ADDRESS_NO_POSTCODE = (
        "the address does not end in a postcode",
        "a UK postcode as the last line",
        "Fill in the postcode.",
    )
    ADDRESS_POSTCODE_WRONG = (
        "the postcode is not one that Royal Mail could have given",
        "a UK postcode such as BN27 1AA",
        "Correct the postcode.",
    )
    ADDRESS_TWO_POSTCODES = (
        "the address holds two different postcodes",
        "one postcode",
        "Remove the wrong one.",
    )
    ADDRESS_NO_FIXED_ABODE = (
        "the tenant has no fixed abode",
        "an address that a letter can reach",
        "Give a correspondence address, or leave the row out.",
    )
    ADDRESS_LINE_START = (
        "an address line starts with a mark",
        'a line that does not start with one of @ ( ) = [ ] " \\ / , < > ~',
        "Remove the mark.",
    )
    ADDRESS_LINE_EMPTY = (
        "an address line holds no letter or digit",
        "a letter or digit in each line",
        "Remove the line.",
    )
    ADDRESS_ABROAD = (
        "the address is outside the United Kingdom, or a forces address with a country",
        "a UK address",
        "Give a UK correspondence address, or leave the row out.",
    )
    ADDRESS_TWO_CARERS = (
        "the address is care of two different people",
        "one c/o line",
        "Remove one of them.",
    )
    UPRN_DAMAGED = (
        "UPRN is in scientific form or not a whole number, so its digits are lost",
        "a UPRN of up to 12 digits",
        "Export again with the column as text; do not save the file in Excel.",
    )
    TENANCY_CONFLICT = (
        "rows of this tenancy disagree on {heading}",
        "the same {heading} in every row of one reference",
        "Make the rows agree, or correct the reference of one.",
    )
    TENANCY_PART_REJECTED = (
        "another row of this tenancy is rejected",
        "every row of one reference good",
        "Mend the other row with this reference; they are used together or not at all.",
    )
    DATE_BLANK = ("there is no date", "a date as 2026-03-31 or 31/03/2026", "Fill in the date.")
    AMOUNT_BLANK = ("there is no amount", "an amount such as 1234.50", "Fill in the amount.")
    DIRECTION_UNKNOWN = (
        "the direction is neither in nor out",
        "in or out (also inbound, outbound)",
        "Correct the direction.",
    )
    MOVE_UNKNOWN = (
        "this is neither vacated nor deceased",
        "vacated or deceased",
        "Correct the cell.",
    )
    HISTORY_TWICE = (
        "the tenancy is in the file twice with different facts",
        "one row for each tenancy that got a first letter",
        "Keep the row of the first letter.",
    )
    HISTORY_FUTURE = (
        "the letter lies ahead of today",
        "letters up to {today}",
        "Correct the date: the file would seem to cover days that are to come.",
    )
    HISTORY_AFTER_COVER = (
        "a date is after the last day that the file covers",
        "dates up to {cut}",
        "Correct the date, or state the days that the file covers.",
    )
    COUNT_NOT_WHOLE = (
        "the count is not a whole number from 0",
        "a whole number from 0",
        "Correct it, or leave it blank where nobody counted.",
    )
    EXPOSURE_MISSING = (
        "nothing says what the count is over",
        "days or a length above 0",
        "Fill in the days since the site was last cleared, or the length that was walked.",
    )
    CLEARED_BLANK = (
        "nothing says whether the site was cleared",
        "yes or no",
        "Fill it in: what stays is counted again the next time.",
    )
    SURVEY_OUT_OF_ORDER = (
        "the survey is not after the site's last clearing above it",
        "each site's surveys in order of date",
        "Sort the file by date, or take out the survey that is there twice.",
    )
    SPEED_OUTSIDE = (
        "the speed is below 0 or above {most} mph",
        "a speed from 0 to {most} mph",
        "Correct it, or leave it blank: counters misread now and then.",
    )
    SPEED_UNIT_BLANK = ("the unit is neither mph nor km/h", "mph or km/h", "Fill in the unit of this row.")
    BAND_TURNED = (
        "the band has no lower edge, or an upper edge that is no higher",
        "a band from one speed to a higher one",
        "Give both edges; only the top band may have no upper edge.",
    )
    PLACE_BLANK = (
        "the incident names no place",
        "a site, a street or a position",
        "Fill in one of them.",
    )
    POSITION_WRONG = (
        "the position is half there, or not in Great Britain or Northern Ireland",
        "a latitude from 49 to 61 and a longitude from -9 to 3, in degrees",
        "Correct it; eastings and northings are not read.",
    )
