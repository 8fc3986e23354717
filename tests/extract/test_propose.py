"""A mapping is proposed for schemas that nobody told us: values decide, names break ties, the undecided is left out."""

import hashlib
import io
import re
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from casewright.extract.columns import SAMPLE, sample
from casewright.extract.mapping import read_mapping
from casewright.extract.propose import propose
from casewright.extract.proposed import PROPOSAL
from casewright.extract.readers.mysql import read_mysql
from casewright.model.bitcoin import base58check_encode
from tests.world import context, digests_of

N = 30
START = datetime(2017, 1, 1, tzinfo=UTC)


def address(n: int) -> str:
    return base58check_encode(b"\0" + n.to_bytes(20, "big"))


def when(n: int) -> str:
    return f"{START + timedelta(hours=n):%Y-%m-%d %H:%M:%S}"


def ip(n: int) -> str:
    return f"192.0.2.{n % 250 + 1}"


def table(name: str, columns: str, rows: Sequence[Sequence[Any]], keys: str = "") -> str:
    """A table as dumps have it. `columns` is `name type, name type`."""
    lines = [f"  `{c.split()[0]}` {' '.join(c.split()[1:]) or 'varchar(255)'}" for c in columns.split(", ")]
    body = ",".join("(" + ",".join("NULL" if v is None else f"'{v}'" for v in row) + ")" for row in rows)
    declared = ",\n".join(lines + ([keys] if keys else []))
    return f"CREATE TABLE `{name}` (\n{declared}\n) ENGINE=MyISAM;\nINSERT INTO `{name}` VALUES {body};\n"


def proposed(*tables: str, pages: Sequence[str] = (), folders: Sequence[str] = ()) -> tuple[str, dict[str, Any]]:
    text = propose(sample(read_mysql(io.BytesIO("".join(tables).encode()))), pages, folders)
    read_mapping(text.encode(), "proposal")
    return text, tomllib.loads(text)


MEMBERS = table(
    "members", "member_id int, login, pass char(32), email, joined int, last_visit int, reg_ip, last_ip, born date",
    [(n, f"keeper{n}", f"{n:032x}", f"k{n}@example.org", 1483228800 + n, 1514764800 + n, ip(n), ip(n + 1), "1980-01-01")
     for n in range(1, N + 1)], "PRIMARY KEY (`member_id`)",
)  # fmt: skip
WALLETS = table("wallets", "id int, member int, addr, given datetime",
                [(n, N + 1 - n, address(n), when(n)) for n in range(1, N + 1)], "PRIMARY KEY (`id`)")  # fmt: skip
PAYOUTS = table("payouts", "id int, member_id int, addr",
                [(n, n % N + 1, address(1000 + n)) for n in range(1, 3 * N)], "PRIMARY KEY (`id`)")  # fmt: skip
SCANS = table("scans", "sid int, uploader int, stored_as, sha2 char(64), posted datetime, edited datetime",
              [(n, n % N + 1, f"/vault/{n}.jpg", f"{n:064x}", when(n), when(n + 9)) for n in range(1, 60)],
              "PRIMARY KEY (`sid`)")  # fmt: skip
FETCHES = table(
    "fetches", "member_id int, what, at int", [(n % N + 1, f"/vault/{n}.jpg", 1500000000 + n) for n in range(40)]
)
SESSIONS = table("visits", "sess char(32), member_id int, ip, ua, t int",
                 [(f"{n:032x}", n % N, ip(n), "Mozilla/5.0 (X11)", 1500000000 + n) for n in range(50)])  # fmt: skip
NEWS = table("newsletter", "nid int, mail, name",
             [(n, f"n{n}@example.net", f"Reader {n}") for n in range(90)], "PRIMARY KEY (`nid`)")  # fmt: skip


def test_a_schema_without_declared_keys_is_understood_by_its_values() -> None:
    _, found = proposed(MEMBERS, WALLETS, PAYOUTS, SCANS, FETCHES, SESSIONS, NEWS)
    assert found["accounts"] == {
        "table": "members", "native": "member_id", "username": "login", "email": "email",
        "registered_at": "joined", "registered_ip": "reg_ip",
    }  # fmt: skip
    assert found["deposit_addresses"] == {
        "table": "wallets",
        "account": "member",
        "address": "addr",
        "created_at": "given",
    }
    assert found["uploads"] == {"table": "scans", "account": "uploader", "time": "posted", "reference": "stored_as",
                                "sha256": "sha2"}  # fmt: skip
    assert found["downloads"] == {"table": "fetches", "account": "member_id", "time": "at", "reference": "what"}
    assert found["logins"] == {"table": "visits", "account": "member_id", "time": "t", "ip": "ip", "agent": "ua"}


def test_addresses_that_accounts_were_paid_out_to_are_no_deposit_addresses() -> None:
    _, found = proposed(MEMBERS, PAYOUTS)
    assert "deposit_addresses" not in found


TOPUPS = table("topups", "id int, member_id int, coin_amount decimal(16&8), tx_hash char(64), booked int, remark",
               [(n, n % N + 1, f"0.{n:08d}", f"{n:064x}", 1500000000 + n, "deposit") for n in range(1, 50)],
               "PRIMARY KEY (`id`)").replace("&", ",")  # fmt: skip


def test_a_ledger_is_known_by_its_amounts_and_the_transactions_that_it_names() -> None:
    _, found = proposed(MEMBERS, WALLETS, PAYOUTS, SCANS, TOPUPS)
    assert found["credits"] == {"table": "topups", "account": "member_id", "amount": "coin_amount", "txid": "tx_hash",
                                "time": "booked", "note": "remark"}  # fmt: skip


def test_amounts_that_name_no_coin_are_no_ledger() -> None:
    orders = table("orders", "id int, member_id int, amount decimal(16&2), made int",
                   [(n, n % N + 1, f"{n}.50", 1500000000 + n) for n in range(1, 50)]).replace("&", ",")  # fmt: skip
    withdrawn = TOPUPS.replace("topups", "withdrawals")
    assert "credits" not in proposed(MEMBERS, WALLETS, orders, withdrawn)[1]


def test_addresses_beside_the_accounts_are_theirs() -> None:
    users = table("users", "uid int, nick, btc", [(n, f"u{n}", address(n)) for n in range(1, N)], "PRIMARY KEY (`uid`)")
    _, found = proposed(users, PAYOUTS)
    assert found["deposit_addresses"] == {"table": "users", "account": "uid", "address": "btc"}


def test_what_nothing_decides_is_left_out_and_said() -> None:
    log = table("logins", "a int, b int, ip, t1 int, t2 int",
                [(n % N + 1, (n * 7) % N + 1, ip(n), 1500000000 + n, 1500009000 + n) for n in range(60)])  # fmt: skip
    text, found = proposed(MEMBERS, log)
    assert "logins" not in found
    assert "# [logins]: no table looks like it" in text
    users = table("users", "uid int, nick, mail, x datetime, y datetime",
                  [(n, f"u{n}", f"u{n}@b.org", when(n), when(n)) for n in range(9)], "PRIMARY KEY (`uid`)")  # fmt: skip
    text, found = proposed(users)
    assert "registered_at" not in found["accounts"]
    assert "# registered_at: left out, nothing decides between x, y (times)" in text


def test_a_small_number_beside_an_undeclared_owner_is_not_taken_for_one() -> None:
    log = table("login_log", "state int, ip, t int", [(n % 2 + 1, ip(n), 1500000000 + n) for n in range(60)])
    assert "logins" not in proposed(MEMBERS, log)[1]


def test_keys_beyond_the_sample_still_tie_a_table_to_its_accounts() -> None:
    many = SAMPLE * 3
    users = table("users", "id int, nick", [(n, f"u{n}") for n in range(1, many)], "PRIMARY KEY (`id`)")
    wallets = table("w", "user_id int, a", [(many - n, address(n)) for n in range(1, SAMPLE + 50)])
    assert proposed(users, wallets)[1]["deposit_addresses"]["account"] == "user_id"


def test_keys_may_be_text() -> None:
    users = table(
        "users", "uuid char(36), nick", [(f"{n:08x}-aaaa", f"u{n}") for n in range(N)], "PRIMARY KEY (`uuid`)"
    )
    wallets = table("w", "holder char(36), a", [(f"{n:08x}-aaaa", address(n)) for n in range(N)])
    assert proposed(users, wallets)[1]["deposit_addresses"]["account"] == "holder"


def test_accounts_without_a_key_are_known_by_their_names() -> None:
    users = table("users", "nick, mail", [(f"u{n}", f"u{n}@example.org") for n in range(N)])
    assert proposed(users)[1]["accounts"]["native"] == "nick"


def test_addresses_whose_checksums_fail_are_no_addresses() -> None:
    wrong = WALLETS.replace(address(3), address(3)[:-1] + "1")
    lost = table("wallets", "id int, member int, addr", [(n, n, address(n)[:-1] + "1") for n in range(1, N)])
    assert "deposit_addresses" in proposed(MEMBERS, wrong)[1]
    assert "deposit_addresses" not in proposed(MEMBERS, lost)[1]


def test_hostile_names_of_tables_and_columns_stay_data() -> None:
    name = 'u"]\\x\U000e0001'
    users = table(name, "id int, nick", [(n, f"u{n}") for n in range(1, N)], "PRIMARY KEY (`id`)")
    assert proposed(users)[1]["accounts"]["table"] == name


def test_every_guess_says_why_and_shows_a_value() -> None:
    text, _ = proposed(MEMBERS, WALLETS, SCANS, FETCHES, SESSIONS)
    for line in text.splitlines():
        if " = " in line and not line.startswith(("table", "format", "user =", "login_paths", "download_paths")):
            assert re.search(r"    # .+; such as .+", line), line
    assert 'username = "login"    # distinct text, named like a user name; such as keeper1' in text
    assert "such as 192.0.2.2" in text


def test_no_password_is_shown_and_no_value_breaks_its_line() -> None:
    hashes = [f"$2y$10${n:053}" for n in range(N)]
    rows = [(n + 1, hashes[n], f"secret{n}", f"u{n}@example.org\\n[uploads]") for n in range(N)]
    users = table("users", "id int, user_name, pass_name, mail", rows, "PRIMARY KEY (`id`)")
    text, found = proposed(users)
    assert found["accounts"]["username"] == "user_name"
    assert "$2y$" not in text
    assert "secret" not in text
    assert "uploads" not in found


def test_what_a_mapping_can_not_take_is_said() -> None:
    loose = table("btc", "seq, addr", [(f"no {n}", address(n)) for n in range(1, 9)])
    meta = table("user_meta", "umeta_id int, user_id int, meta_key, meta_value",
                 [(n, n, "mail", "x") for n in range(1, N)], "PRIMARY KEY (`umeta_id`)")  # fmt: skip
    people = table("people", "id int, nick, secret", [(n, f"nick{n}", f"{n:032x}") for n in range(1, N)],
                   "PRIMARY KEY (`id`)")  # fmt: skip
    mails = table("people_mails", "id int, user_id int, mail", [(n, N - n, f"n{n}@example.org") for n in range(1, N)],
                  "PRIMARY KEY (`id`)")  # fmt: skip
    text, found = proposed(people, mails)
    assert found["accounts"]["table"] == "people"
    assert "# people_mails holds the accounts' emails; a mapping can't join them" in text
    text, _ = proposed(MEMBERS, loose, meta)
    assert "# btc holds Bitcoin addresses, but no column says whose" in text
    assert "# user_meta keeps names and values row by row" in text


def test_addresses_of_machines_are_known_packed_and_as_numbers() -> None:
    log = (
        "CREATE TABLE `member_ips` (`member_id` int, `seen_from` varbinary(16), `t` int);\n"
        + "INSERT INTO `member_ips` VALUES "
        + ",".join(f"({n},0xc00002{n:02x},{1500000000 + n})" for n in range(1, N)) + ";\n"
        + "CREATE TABLE `digests` (`member_id` int, `sum` binary(16), `t` int);\nINSERT INTO `digests` VALUES "
        + ",".join(f"({n},0x{hashlib.md5(bytes([n])).hexdigest()},{1500000000 + n})" for n in range(1, N)) + ";\n"
    )  # fmt: skip
    assert proposed(MEMBERS, log)[1]["logins"] == {
        "table": "member_ips", "account": "member_id", "time": "t", "ip": "seen_from",
    }  # fmt: skip


def test_refused_attempts_are_no_sign_ins_and_administrators_not_the_customers() -> None:
    few = [(n, f"b{n}", f"b{n}@example.org", f"{n:032x}") for n in range(1, 4)]
    admins = table("staff", "id int, username, email, password char(32)", few, "PRIMARY KEY (`id`)")
    rows = [(n, f"c{n}@example.org", f"{n:032x}") for n in range(1, N)]
    people = table("customers", "customer_id int, email, password char(32)", rows, "PRIMARY KEY (`customer_id`)")
    refused = table("login_attempts", "customer_id int, ip, agent, t int",
                    [(n, ip(n), "Mozilla/5.0 (X11)", 1500000000 + n) for n in range(1, N)])  # fmt: skip
    _, found = proposed(admins, people, refused)
    assert found["accounts"]["table"] == "customers"
    assert "logins" not in found


@pytest.mark.parametrize("dump", ["", "CREATE TABLE `t` (`a` int);\n", "INSERT INTO `t` VALUES (1),(2);\n"])
def test_a_dump_without_accounts_gives_a_mapping_that_says_so(dump: str) -> None:
    text, found = proposed(dump)
    assert found == {"format": 1}
    assert "No table looks like accounts" in text


LOG = b"".join(
    b'192.0.2.1 - k1 [10/Oct/2017:13:55:36 +0200] "%s HTTP/1.1" 200 5 "-" "-"\n' % asked
    for asked in (b"POST /auth/login?next=/", b"GET /pics/1.jpg", b"GET /pics/2.png?x=1", b"GET /static/logo.png",
                  b"GET /authors", b"GET /once-only/9.jpg") * 2
)  # fmt: skip


AS_JSON = b"".join(
    b'{"time_local":"10/Oct/2017:13:55:36 +0200","client_ip":"::1","remote_user":"k1","request":%s,"status":200}\n'
    % line.split(b'"')[1].join((b'"', b'"'))
    for line in LOG.splitlines()
)


@pytest.mark.parametrize(("log", "kind"), [(LOG, "text/x-access-log"), (AS_JSON, "text/x-access-log+json")])
def test_logs_tell_where_media_lie_and_where_users_sign_in(log: bytes, kind: str) -> None:
    dump = b"-- MySQL dump\n" + MEMBERS.encode()
    items = [{"item": str(n), "name": f"f{n}", "sha256": digests_of(raw).sha256, "mime": mime, "size": len(raw)}
             for n, (raw, mime) in enumerate([(dump, "text/x-sql-dump"), (log, kind)])]  # fmt: skip
    world = context({"items": items}, [dump, log])
    output = PROPOSAL.work(world.table("items"), world)
    (row,) = output.tables["proposal"].to_pylist()
    assert tomllib.loads(row["toml"])["logs"] == {
        "user": "username", "login_paths": ["/auth/login"], "download_paths": ["/once-only/", "/pics/"],
    }  # fmt: skip
