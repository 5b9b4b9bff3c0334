"""One store, two databases: the same rows, writers in turn, nothing half written."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from nudge.base.errors import EnvironmentFault, NudgeError, Refused
from nudge.records.codes import RecordsCode
from nudge.records.store import (
    Store,
    append,
    append_allocation,
    audit,
    audited,
    broken_link,
    change,
    open_store,
    remove,
    rows_of,
)
from nudge.records.tables import (
    METADATA,
    AllocationRow,
    AuditRow,
    BatchRow,
    EventRow,
    HouseholdRow,
    RecipientRow,
    ReviewRow,
    UnitRow,
)
from tests.records.rows import NOW, TRIAL, allocation, batch, enrol, event, recipient


def test_rows_come_back_as_they_were_written_in_the_order_of_their_key(store: Store) -> None:
    names = ["ß", "a", "Z", "é", "B", "zz", "Ω", "10", "9"]
    written = [recipient(f"u{n}", surname=name) for n, name in enumerate(names)]
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [(f"u{n}", "current") for n in range(len(names))])
        append(connection, written)
    with store.snapshot() as connection:
        found = rows_of(connection, RecipientRow, trial=TRIAL)
        clusters = [row.cluster for row in rows_of(connection, AllocationRow, trial=TRIAL)]
    assert [row.model_dump() for row in found] == [row.model_dump() for row in written]
    assert clusters == sorted(clusters)


def test_text_keys_are_ordered_by_code_point_on_either_database(store: Store) -> None:
    """A server's own collation puts é beside e and ignores hyphens; SQLite does not (I2)."""
    units = ["é", "e", "E", "f", "a-b", "ab", "a c"]
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [(unit, "current") for unit in units])
        found = [row.unit for row in rows_of(connection, UnitRow, trial=TRIAL)]
    assert found == sorted(units)


def test_filters_take_a_value_any_of_several_and_none(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch(1), batch(2, day0=None, status="drawn"), batch(3, day0=None, status="drawn")])
        assert [row.number for row in rows_of(connection, BatchRow, trial=TRIAL, status="drawn")] == [2, 3]
        assert [row.number for row in rows_of(connection, BatchRow, trial=TRIAL, number=(3, 1, 3))] == [1, 3]
        assert [row.number for row in rows_of(connection, BatchRow, trial=TRIAL, day0=None)] == [2, 3]
        assert rows_of(connection, BatchRow, trial=TRIAL, number=()) == []
        assert rows_of(connection, BatchRow, trial="another") == []


def test_more_values_than_one_statement_may_hold_are_looked_up_all_the_same(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("first", "current"), ("last", "current")])
        wanted = ("first", *(f"u{n}" for n in range(40_000)), "last")
        assert [row.unit for row in rows_of(connection, UnitRow, trial=TRIAL, unit=wanted)] == ["first", "last"]
        assert change(connection, UnitRow, where={"trial": TRIAL, "unit": wanted}, to={"late": True}) == 2


def test_the_database_numbers_events_and_keeps_each_row_of_a_file_once(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
        append(connection, [event("u", 740_000, row=2), event("u", 740_000, row=2, kind="payment")])
        assert all(row.id for row in rows_of(connection, EventRow, trial=TRIAL))
    with pytest.raises(NudgeError, match="event"), store.transaction() as connection:
        append(connection, [event("u", 740_001, row=2)])


def test_i3_a_cluster_keeps_the_arm_it_holds(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
        append(connection, [HouseholdRow(trial=TRIAL, cluster="c-new", stratum="all", batch=1)])
        again = [
            allocation("c-u", "personal-norm"),
            allocation("c-new", "current"),
            allocation("c-new", "personal-norm"),
        ]
        assert append_allocation(connection, again) == 1
        assert append_allocation(connection, again) == 0
        held = {row.cluster: row.arm for row in rows_of(connection, AllocationRow, trial=TRIAL)}
    assert held == {"c-u": "current", "c-new": "current"}


def test_i3_writers_who_draw_the_same_clusters_at_once_agree_on_one_arm_each(store: Store) -> None:
    clusters = [f"c{n}" for n in range(40)]
    with store.transaction() as connection:
        append(connection, [batch()])
        append(connection, [HouseholdRow(trial=TRIAL, cluster=c, stratum="all", batch=1) for c in clusters])

    def draw(arm: str) -> int:
        with store.transaction() as connection:
            return append_allocation(connection, [allocation(cluster, arm) for cluster in clusters])

    with ThreadPoolExecutor(4) as writers:
        assert sorted(writers.map(draw, ["a", "b", "c", "d"])) == [0, 0, 0, 40]
    with store.snapshot() as connection:
        held = [row.arm for row in rows_of(connection, AllocationRow, trial=TRIAL)]
    assert len(held) == 40
    assert len(set(held)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE allocation SET arm = 'personal-norm'",
        "DELETE FROM allocation",
        "UPDATE audit SET what = 'nothing'",
        "DELETE FROM audit",
    ],
)
def test_i2_the_database_itself_refuses_to_change_an_allocation_or_an_audit_entry(store: Store, statement: str) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
        audit(connection, trial=TRIAL, what="enrolled", facts={"units": 1}, at=NOW)
    with pytest.raises(NudgeError), store.transaction() as connection:
        connection.execute(text(statement))
    with store.snapshot() as connection:
        assert [row.arm for row in rows_of(connection, AllocationRow, trial=TRIAL)] == ["current"]
        assert broken_link(connection, TRIAL) is None


def test_i2_an_allocation_is_not_replaced_by_an_insert_either(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
    store.close()
    stranger = sqlite3.connect(tmp_path / "nudge.db")  # another program, with none of our settings
    replacing = (
        "INSERT OR REPLACE INTO allocation SELECT trial, cluster, batch, stratum, epoch, block, slot, block_size, 'x' "
        "FROM allocation"
    )
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        stranger.execute(replacing)
    stranger.close()


def test_i2_the_allocation_table_cannot_be_emptied_on_postgresql(new_database) -> None:
    store = open_store(new_database(ready=True))
    with pytest.raises(NudgeError), store.transaction() as connection:
        connection.execute(text("TRUNCATE allocation CASCADE"))
    store.close()


@pytest.mark.parametrize("table", [AllocationRow, AuditRow])
def test_what_only_grows_is_neither_changed_nor_removed_through_the_store(store: Store, table) -> None:
    with store.transaction() as connection:
        with pytest.raises(ValueError, match="only grows"):
            change(connection, table, where={"trial": TRIAL}, to={"trial": "x"})
        with pytest.raises(ValueError, match="only grows"):
            remove(connection, table, where={"trial": TRIAL})
        with pytest.raises(ValueError, match="by `audit`"):
            append(
                connection, [AuditRow(trial=TRIAL, number=1, at="", what="", facts_json="", previous_hash="", hash="")]
            )


def test_a_change_without_saying_which_rows_is_a_mistake(store: Store) -> None:
    with store.transaction() as connection, pytest.raises(ValueError, match="which rows"):
        remove(connection, UnitRow, where={})


def _begin_and_fail(connection: Connection, number: int) -> None:
    append(connection, [batch(number)])
    audit(connection, trial=TRIAL, what="enrolled", facts={}, at=NOW)
    raise RuntimeError


def test_i11_a_step_that_fails_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction() as connection:
        _begin_and_fail(connection, 1)
    with store.snapshot() as connection:
        assert rows_of(connection, BatchRow, trial=TRIAL) == []
        assert not audited(connection, TRIAL, "enrolled")


def test_a_transaction_inside_another_is_a_part_of_it(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch(1)])
        with pytest.raises(RuntimeError), store.transaction() as inner:
            _begin_and_fail(inner, 2)
        with store.snapshot() as view:
            assert [row.number for row in rows_of(view, BatchRow, trial=TRIAL)] == [1]
    with store.snapshot() as view:
        assert [row.number for row in rows_of(view, BatchRow, trial=TRIAL)] == [1]


def test_reading_waits_for_no_writer_and_cannot_write(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
    with store.snapshot() as view:
        assert len(rows_of(view, BatchRow, trial=TRIAL)) == 1
        with ThreadPoolExecutor(1) as other:
            other.submit(_add_batch, store, 2).result(timeout=10)
        assert len(rows_of(view, BatchRow, trial=TRIAL)) == 1
    with pytest.raises(NudgeError), store.snapshot() as view:
        append(view, [batch(3)])
    _add_batch(store, 3)


def _add_batch(store: Store, number: int) -> None:
    with store.transaction() as connection:
        append(connection, [batch(number)])


def test_i12_a_broken_rule_is_told_without_the_values_that_broke_it(store: Store) -> None:
    person = recipient("nobody", surname="Quixworth-Canary", tenancy_reference="CANARY-77")
    with pytest.raises(NudgeError) as told, store.transaction() as connection:
        append(connection, [person])
    assert (type(told.value), told.value.exit_code) == (NudgeError, 1)
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
    twice = [recipient("u", surname="Quixworth-Canary"), recipient("u", surname="Quixworth-Canary")]
    with pytest.raises(NudgeError) as again, store.transaction() as connection:
        append(connection, twice)
    for fault in (told.value, again.value):
        assert "canary" not in f"{fault}{fault.__cause__}{fault.problems}".lower()


def test_a_value_the_driver_cannot_send_is_our_mistake_and_no_unreachable_server(new_database) -> None:
    store = open_store(new_database(ready=True))
    with pytest.raises(NudgeError) as told, store.transaction() as connection:
        append(connection, [batch().model_copy(update={"extract_name": "Canary\0.csv"})])
    assert type(told.value) is NudgeError
    assert "Canary" not in str(told.value)
    store.close()


def test_the_audit_chain_holds_for_each_trial_apart(store: Store) -> None:
    with store.transaction() as connection:
        for trial in ("a", "b", "a"):
            last = audit(connection, trial=trial, what="enrolled", facts={"batch": 1, "share": 0.5, "é": None}, at=NOW)
        assert [row.number for row in rows_of(connection, AuditRow, trial="a")] == [1, 2]
        assert last == rows_of(connection, AuditRow, trial="a")[-1].hash
        assert (broken_link(connection, "a"), broken_link(connection, "b")) == (None, None)
        assert audited(connection, "b", "enrolled")
        assert not audited(connection, "b", "closed")


TAMPERED = {
    "UPDATE audit SET facts_json = '{}' WHERE number = 2": 2,
    "UPDATE audit SET facts_json = 'not JSON' WHERE number = 2": 2,
    "UPDATE audit SET at = '2026-09-07T09:31:00Z' WHERE number = 3": 3,
    "DELETE FROM audit WHERE number = 2": 2,
    "UPDATE audit SET number = 9 WHERE number = 4": 4,
    "UPDATE audit SET trial = 'other' WHERE number = 1": 1,
}


@pytest.mark.parametrize(("statement", "broken"), TAMPERED.items())
def test_an_entry_changed_behind_nudges_back_is_found(store: Store, statement: str, broken: int) -> None:
    with store.transaction() as connection:
        for number in range(1, 5):
            audit(connection, trial=TRIAL, what="enrolled", facts={"units": 83 + number}, at=NOW)
    with store.transaction() as connection:  # as somebody would who owns the database
        if connection.dialect.name == "sqlite":
            for deed in ("update", "delete", "replace"):
                connection.execute(text(f"DROP TRIGGER audit_no_{deed}"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text(statement))
        assert broken_link(connection, TRIAL) == broken


WRITER = """
    import sys
    from nudge.records.store import audit, change, open_store, rows_of
    from nudge.records.tables import BatchRow
    from tests.records.rows import NOW, TRIAL
    store = open_store(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        with store.transaction() as connection:
            [row] = rows_of(connection, BatchRow, trial=TRIAL, number=1)  # read, then write what follows from it
            change(connection, BatchRow, where={"trial": TRIAL}, to={"as_of": row.as_of + 1})
            audit(connection, trial=TRIAL, what="counted", facts={}, at=NOW)
        print("kept", flush=True)
    store.close()
"""


def _writer(address: str, times: int) -> subprocess.Popen[str]:
    paths = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), address, str(times)],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _count_from_nought(address: str) -> None:
    store = open_store(address)
    with store.transaction() as connection:
        append(connection, [batch().model_copy(update={"as_of": 0})])
    store.close()


def _counted(address: str) -> tuple[int, int]:
    """How far the writers counted, and how many entries of audit say so."""
    store = open_store(address)
    with store.snapshot() as connection:
        [row] = rows_of(connection, BatchRow, trial=TRIAL)
        entries = rows_of(connection, AuditRow, trial=TRIAL)
        assert broken_link(connection, TRIAL) is None
    store.close()
    return row.as_of, len(entries)


def test_i11_four_writers_of_200_transactions_lose_none_and_meet_no_lock(address: str) -> None:
    _count_from_nought(address)
    writers = [_writer(address, 200) for _ in range(4)]
    told = [writer.communicate(timeout=300) for writer in writers]
    assert [(writer.returncode, errors) for writer, (_, errors) in zip(writers, told, strict=True)] == [(0, "")] * 4
    assert _counted(address) == (800, 800)


def test_i11_a_killed_writer_leaves_what_it_committed_and_nothing_of_the_rest(address: str) -> None:
    _count_from_nought(address)
    acknowledged = 0
    for _ in range(3):
        writer = _writer(address, 100_000)
        assert writer.stdout is not None
        acknowledged += sum(line == "kept\n" for _, line in zip(range(20), writer.stdout, strict=False))
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.read().count("kept\n")  # communicate() would pass over lines read ahead
        writer.communicate()
    kept, entries = _counted(address)
    assert kept == entries
    assert acknowledged <= kept <= acknowledged + 3  # a commit may fall between the disk and the telling


def test_i12_the_file_is_private_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "workspace" / "nudge.db"
    store = open_store(f"sqlite:///{path}")
    with store.transaction() as connection:
        append(connection, [batch()])
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    store.close()
    path.chmod(0o644)
    open_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_i12_what_is_removed_is_gone_from_the_file(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [(f"u{n}", "current") for n in range(200)])
        append(connection, [recipient(f"u{n}", surname="Quixworth-Canary") for n in range(200)])
    assert any(b"Quixworth-Canary" in file.read_bytes() for file in tmp_path.iterdir())
    with store.transaction() as connection:
        assert remove(connection, RecipientRow, where={"trial": TRIAL}) == 200
    store.compact()
    assert not any(b"Quixworth-Canary" in file.read_bytes() for file in tmp_path.iterdir())
    store.close()
    assert store.backups == ()


def test_compacting_keeps_every_row(store: Store) -> None:
    with store.transaction() as connection:
        append(connection, [batch()])
        enrol(connection, [("u", "current")])
        append(connection, [recipient("u")])
    store.compact()
    with store.snapshot() as connection:
        assert [row.unit for row in rows_of(connection, RecipientRow, trial=TRIAL)] == ["u"]


def test_r2_a_log_cut_or_torn_anywhere_opens_with_a_committed_beginning(tmp_path: Path) -> None:
    """As a power cut may leave it: the log is cut short, or a byte of its end is wrong."""
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    for number in range(1, 7):
        _add_batch(store, number)
    whole, log = (tmp_path / "nudge.db").read_bytes(), (tmp_path / "nudge.db-wal").read_bytes()
    store.close()
    found = set()
    lengths = [*range(0, len(log), len(log) // 30), len(log)]
    for attempt, length in enumerate(lengths):
        for torn in (False, True):
            folder = tmp_path / f"{attempt}-{torn}"
            folder.mkdir()
            tail = bytearray(log[:length])
            if torn and tail:
                tail[-1] ^= 0x10
            (folder / "nudge.db").write_bytes(whole)
            (folder / "nudge.db-wal").write_bytes(bytes(tail))
            again = sqlite3.connect(folder / "nudge.db")
            assert again.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = again.execute("SELECT count(*) FROM sqlite_master WHERE name = 'batch'").fetchone()[0]
            numbers = [row[0] for row in again.execute("SELECT number FROM batch")] if tables else []
            again.close()
            assert numbers == list(range(1, len(numbers) + 1))
            found.add(len(numbers))
    assert found == set(range(7))


def test_a_locked_database_is_exit_4_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    other = sqlite3.connect(tmp_path / "nudge.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with store.snapshot() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")  # the pool hands this connection out again
    with pytest.raises(EnvironmentFault) as fault, store.transaction():
        pass
    other.close()
    store.close()
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.DATABASE_BUSY.slug]
    assert fault.value.exit_code == 4


def test_a_full_disk_is_exit_4_and_keeps_what_was_committed(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    with store.transaction() as connection:
        append(connection, [batch()])
    with store.snapshot() as connection:  # SQLite reports a page limit as it does a full disk
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(EnvironmentFault) as fault, store.transaction() as connection:
        enrol(connection, [(f"u{n}", "current") for n in range(2_000)])
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.DISK_FULL.slug]
    store.close()
    store = open_store(f"sqlite:///{tmp_path}/nudge.db")
    with store.snapshot() as connection:
        assert len(rows_of(connection, BatchRow, trial=TRIAL)) == 1
        assert rows_of(connection, UnitRow, trial=TRIAL) == []
    store.close()


def test_an_unreachable_server_is_exit_4_and_its_password_is_not_printed() -> None:
    with pytest.raises(EnvironmentFault) as fault:
        open_store("postgresql://officer:hunter2secret@127.0.0.1:1/nudge")
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.SERVER_UNREACHABLE.slug]
    assert "hunter2secret" not in f"{fault.value}{fault.value.__cause__}"
    assert "officer" in str(fault.value)


def _add_two(connection: Connection, *, between: Callable[[], None]) -> None:
    append(connection, [batch(1)])
    between()
    append(connection, [batch(2)])


def test_r12_a_connection_cut_by_the_server_is_exit_4_and_the_next_step_goes_on(new_database) -> None:
    address = new_database(ready=True)
    store, other = open_store(address), open_store(address)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def cut_off() -> None:
        with other.snapshot() as view:
            view.execute(cut)

    with pytest.raises(EnvironmentFault) as fault, store.transaction() as connection:
        _add_two(connection, between=cut_off)
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.SERVER_UNREACHABLE.slug]
    cut_off()  # the pool's connections are dead too
    _add_batch(store, 3)
    with store.snapshot() as view:
        assert [row.number for row in rows_of(view, BatchRow, trial=TRIAL)] == [3]
    store.close()
    other.close()


def test_a_database_the_server_does_not_have_is_exit_4(new_database) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        open_store(new_database().replace("/t", "/no-such-"))
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.SERVER_REFUSES_LOGIN.slug]


@pytest.mark.parametrize("url", ["nudge.db", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///file:x"])
def test_an_address_that_names_no_lasting_database_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refusal:
        open_store(url)
    assert [problem.code for problem in refusal.value.problems] == [RecordsCode.URL_UNREADABLE.slug]


def test_without_create_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        open_store(f"sqlite:///{tmp_path}/nudge.db", create=False)
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.DATABASE_ABSENT.slug]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_bytes(b"%PDF-1.7 " * 2_000)
    with pytest.raises(EnvironmentFault) as fault:
        open_store(f"sqlite:///{path}")
    assert [problem.code for problem in fault.value.problems] == [RecordsCode.DATABASE_OF_ANOTHER.slug]
    assert path.read_bytes() == b"%PDF-1.7 " * 2_000


def test_another_programs_database_is_left_alone(address: str) -> None:
    store = open_store(address)
    with store.transaction() as connection:
        connection.execute(text("DROP TABLE nudge_version"))
    store.close()
    with pytest.raises(Refused) as refusal:
        open_store(address)
    assert [problem.code for problem in refusal.value.problems] == [RecordsCode.DATABASE_OF_ANOTHER.slug]


def test_every_refusal_of_the_records_has_a_sentence() -> None:
    for code in RecordsCode:
        assert code.expected
        assert code.fix.endswith(".")


def test_only_recipients_and_the_review_queue_have_a_place_for_a_name(store: Store) -> None:
    """I12: a new column with personal data has to be thought about here."""
    personal = {"title", "forename", "surname", "uprn", "telephones_json", "address_json", "post_to_json", "row_json"}
    holders = {table.name for table in METADATA.tables.values() if personal & set(table.columns.keys())}
    assert holders == {RecipientRow.__tablename__, ReviewRow.__tablename__}
