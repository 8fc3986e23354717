"""A dump that was packed, as backups are: the same accounts come out as from the dump itself."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from tests.command import casewright

DUMP = (
    b"-- MariaDB dump 10.19\n/*!40101 SET NAMES latin1 */;\nCREATE TABLE `members` (`id` int, `nick` varchar(20));\n"
    + (
        b"INSERT INTO `members` VALUES "
        + b",".join(b"(%d,'ren\xe9-%d')" % (n, n) for n in range(1, 400))
        + b";\n-- Dump completed\n"
    )
)
MAPPING = 'format = 1\n[accounts]\ntable = "members"\nnative = "id"\nusername = "nick"\n'
PACKED = {
    "site.sql": DUMP,
    "site.sql.gz": gzip.compress(DUMP),
    "site.sql.zst": zstd.compress(DUMP),
    "cut.sql.gz": gzip.compress(DUMP, mtime=0)[:-500],
}


def answered(*arguments: str) -> dict[str, Any]:
    done = casewright(*arguments, "--json")
    assert done.returncode in (0, 3), done.stderr[-2000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.parametrize(
    "name",
    ["cut.sql.gz", *(pytest.param(n, marks=pytest.mark.slow) for n in ("site.sql", "site.sql.gz", "site.sql.zst"))],
)
def test_a_packed_dump_gives_its_accounts(name: str, tmp_path: Path) -> None:
    case, source, mapping = tmp_path / "case", tmp_path / name, tmp_path / "mapping.toml"
    source.write_bytes(PACKED[name])
    mapping.write_text(MAPPING)
    answered("new", str(case), "--title", "T", "--agency", "A", "--examiner", "E")
    answered("intake", str(case), str(source))
    answered("extract", str(case), "--mapping", str(mapping))
    found = answered("query", str(case), "SELECT native, username FROM accounts ORDER BY native::INT")["rows"]
    accounts = [{"native": str(n), "username": f"rené-{n}"} for n in range(1, 400)]
    assert found == accounts[: len(found)]
    aside = answered("query", str(case), "SELECT reason FROM set_aside")["rows"]
    if name.startswith("cut"):
        assert 0 < len(found) < len(accounts)
        assert {"reason": "truncated"} in aside
    else:
        assert (len(found), aside) == (len(accounts), [])
