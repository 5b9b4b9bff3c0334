"""What the records refuse, in words."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


@unique
class RecordsCode(Code):
    """Refusals of the database and of the files of responses. Facts are names and counts, never a tenant's cell."""

    URL_UNREADABLE = (
        "a database address such as sqlite:///nudge.db or postgresql://user@host/name",
        "Correct `database` in nudge.toml, or NUDGE_DATABASE_URL.",
    )
    DATABASE_ABSENT = ("a database that nudge has made", "Run `nudge init` here, or correct the address.")
    DATABASE_OLDER_TOOL = (
        "a database of version {known} or earlier, and it is of version {found}",
        "It was written by a newer nudge: install that version; nothing was changed.",
    )
    DATABASE_OF_ANOTHER = (
        "a database that nudge has made, and it holds something else",
        "Give nudge a file or a database of its own.",
    )
    FOLDER_SHARED = (
        "a folder on this computer's own disk, and it is on {share}, where the records could be damaged",
        "Move the workspace to a local folder, or keep the records in PostgreSQL (`database` in nudge.toml).",
    )
    DRIVER_ABSENT = ("the PostgreSQL driver", "Install it: pip install 'nudge-trials[postgres]'.")
    DATABASE_BUSY = (
        "the database to be free, and another program holds it",
        "Close the other nudge or wait for it, then run the same command again.",
    )
    DISK_FULL = ("room on the disk", "Free some space and run the same command again; what was recorded is whole.")
    DATABASE_READ_ONLY = (
        "to be allowed to write to the database",
        "Ask whoever keeps it for write permission, or see whether the disk is read-only.",
    )
    DATABASE_UNREADABLE = (
        "to be able to open and read the database",
        "See that the folder, the file and the disk are there and yours; if the disk failed, restore a backup.",
    )
    DATABASE_DAMAGED = ("a sound database", "Restore the newest backup of it, then run the same command again.")
    SERVER_UNREACHABLE = (
        "an answer from the database server",
        "See that it runs and that address, port and network are right, then run the same command again.",
    )
    SERVER_REFUSES_LOGIN = (
        "the database server to let us in",
        "Correct user, password or database name (NUDGE_DATABASE_URL).",
    )
    RULE_OF_THE_TABLES = (
        "a change that the tables allow ({rule})",
        "This is a mistake in nudge, and nothing was changed: please report it with this line.",
    )


@unique
class ResponseCode(Code):
    """Refusals of files of responses and of decisions on doubtful rows."""

    COVERS_NEEDED = (
        "the days that the file covers; its rows run from {first} to {last}",
        "If it holds every row of those days: --covers {first} {last}. Otherwise state the days asked for at export.",
    )
    COVERS_UNKNOWN = (
        "the days that the file covers, since it has no rows to tell",
        "State the days that were asked for at export: --covers FIRST LAST.",
    )
    COVERS_FUTURE = (
        "days covered up to today ({today}), and the file is said to cover {last}",
        "State the last day that was over when the file was exported.",
    )
    ROWS_FUTURE = (
        "no row dated after today ({today}), and {count} are; the first is row {row}",
        "Look whether the dates of that column are right, and export again.",
    )
    ROWS_UNREADABLE = (
        "every row readable, and {count} of {rows} are not",
        "Correct them and export again, or go on without them: --accept-good-rows.",
    )
    KIND_DIFFERS = (
        "the kind it was added as before ({before})",
        "These bytes are on file already: withdraw them first if that kind was wrong.",
    )
    REVIEW_UNKNOWN = ("the number of a doubtful row of this trial", "Run `nudge review {trial}` to see them.")
    REVIEW_ERASED = (
        "a doubtful row that still says what it held",
        "Its details were erased after the retention time; it can be rejected or left.",
    )
    FILE_NOT_ON_RECORD = ("a file of responses that was added to this trial", "Give the same bytes as were added.")
