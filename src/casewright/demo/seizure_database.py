"""The market's MariaDB database: filled in a throwaway server, then written out by MariaDB's own dump program."""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from casewright.demo.bookings import Booked
from casewright.demo.media import MediaFile
from casewright.demo.seizure_activity import Activity
from casewright.demo.seizure_disk import find_program, run
from casewright.model.bitcoin import in_coins

PROGRAMS = ("mariadb-install-db", "mariadbd", "mariadb", "mariadb-dump")
SCHEMA = Path(__file__).with_name("seizure_schema.sql")
Value = str | int | bytes | datetime | None
Rows = Mapping[str, Sequence[tuple[Value, ...]]]


def database_rows(activity: Activity, media: Sequence[MediaFile], booked: Sequence[Booked]) -> Rows:
    """Every table's rows, in the order in which foreign keys allow them to be filled.

    The market noted SHA-256 and MD5 of uploads, but forgot the first for every seventh file.
    """
    by_number = {m.number: m for m in media}
    agents = {m.uid: m.agent for m in activity.members}
    uploads = [
        (
            n,
            a.uid,
            "/" + file.path,
            None if file.number % 7 == 0 else file.sha256,
            file.md5,
            f"Scan no. {a.media}",
            a.at,
            a.ip,
        )
        for n, a in enumerate(activity.uploads, 1)
        for file in (by_number[a.media],)
    ]
    first = {row[2]: row[0] for row in reversed(uploads)}
    downloads = [
        (n, a.uid, first.get("/" + by_number[a.media].path), "/" + by_number[a.media].path, _epoch(a.at), a.ip)
        for n, a in enumerate(activity.downloads, 1)
    ]
    return {
        "settings": [("site_name", b"Glasshouse"), ("motto", b"Old things, new walls; it's \"art\" \\ trade"),
                     ("salt", bytes(range(256))), ("fee_percent", b"4")],
        "users": [(m.uid, m.nick, m.mail, _secret(m.uid), m.joined, m.ip, m.uid % 17 == 0) for m in activity.members],
        "deposit_wallets": [(n, m.uid, m.address, _epoch(m.joined + timedelta(seconds=2)))
                            for n, m in enumerate(activity.members, 1)],
        "topups": [(n, b.account, in_coins(b.sats), b.txid, _epoch(b.at), b.remark)
                   for n, b in enumerate(booked, 1)],
        "login_history": [(n, a.uid, a.at, a.ip, agents[a.uid]) for n, a in enumerate(activity.sign_ins, 1)],
        "uploads": uploads,
        "downloads": downloads,
        "messages": list(_messages(activity)),
    }  # fmt: skip


def _secret(uid: int) -> bytes:
    """Stands where a password hash stood: bytes with quotes, backslashes and zeros among them."""
    return bytes((uid * 37 + n * n * 11) % 256 for n in range(20)) + b"\x00'\"\\\n\x1a"


def _messages(activity: Activity) -> Iterator[tuple[Value, ...]]:
    texts = ("Is the scan of the blue vase complete?", "It's sold; \"no\" returns.", "a,b),(c;d -- not a comment",
             "see /* the catalogue */ p. 4\nand p. 5", "Ünïcödé ✓ 花瓶 🏺", "0x48656c6c6f",
             "back\\slash \\' and tab\t.")  # fmt: skip
    members = activity.members
    for n, text in enumerate(text for _ in range(9) for text in texts):
        sender, reader = members[n * 5 % len(members)], members[(n * 7 + 1) % len(members)]
        blob = None if n % 3 else bytes((n + k * 13) % 256 for k in range(40))
        yield n + 1, sender.uid, reader.uid, text, blob, max(sender.joined, reader.joined) + timedelta(hours=n)


def _epoch(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())


def literal(value: Value) -> str:
    """A value as MariaDB reads it."""
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value
    for raw, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\0", "\\0"), ("\n", "\\n"), ("\r", "\\r"), ("\x1a", "\\Z")):
        text = text.replace(raw, escaped)
    return f"'{text}'"


def _statements(rows: Rows) -> Iterable[str]:
    for table, values in rows.items():
        for row in values:
            yield f"INSERT INTO {table} VALUES ({', '.join(literal(v) for v in row)});\n"  # noqa: S608 (our own rows)


def dump_database(rows: Rows) -> bytes:
    """The dump of a real server that holds exactly `rows`."""
    with throwaway_server() as socket:
        login = ("--no-defaults", f"--socket={socket}", "--user=root", "--default-character-set=utf8mb4")
        schema, _, after = SCHEMA.read_text("utf-8").partition("-- after the rows\n")
        run("mariadb", *login, feed=schema)
        run("mariadb", *login, "glasshouse", feed="START TRANSACTION;\n" + "".join(_statements(rows)) + "COMMIT;\n")
        run("mariadb", *login, "--comments", "glasshouse", feed=after)
        dump = find_program("mariadb-dump") or "mariadb-dump"
        return subprocess.run(  # noqa: S603 (fixed program, our own arguments)
            [dump, *login, "--skip-dump-date", "--order-by-primary", "--net-buffer-length=32768", "glasshouse"],
            check=True, capture_output=True,
        ).stdout  # fmt: skip


@contextmanager
def throwaway_server() -> Iterator[Path]:
    """A server of our own in a temporary folder, reachable by its socket only."""
    with TemporaryDirectory(prefix="cw-") as name:
        folder = Path(name)
        data, socket = folder / "data", folder / "s"
        as_root = ["--user=root"] if os.geteuid() == 0 else []  # it refuses to be root unless told
        run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db", *as_root,
            "--auth-root-authentication-method=normal")  # fmt: skip
        server = subprocess.Popen(  # noqa: S603 (fixed program, our own arguments)
            [find_program("mariadbd") or "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}",
             f"--pid-file={folder / 'pid'}", "--skip-networking", *as_root, "--default-time-zone=+00:00",
             "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait_for(socket, server)
            yield socket
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if socket.exists():
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise TimeoutError("the throwaway MariaDB server did not start")
