"""A chain server on this machine that answers as Esplora does (https://github.com/Blockstream/esplora, API.md).

Asked are the transactions of the deposit addresses, and from these as many back and forward as a trace goes. What it
answers is sealed as an exhibit, one transaction a line, before anything is made of it: so a run can be repeated without
the server. No other machine is ever asked: whom a unit looks for would be seen there.
"""

import http.client
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from casewright.model.errors import Missing, Refused, UsageError

FILE = "transactions.esplora"
SECONDS, LONGEST, PAGE = 60, 64 << 20, 25
"""Seconds and bytes of one answer; transactions of one page of an address."""
MOST = 50_000
"""Transactions that are asked for at most."""
TXID, ADDRESS = re.compile("[0-9a-f]{64}"), re.compile("[0-9A-Za-z]{14,100}")


class Server:
    """One server, by the address at which it listens. Raises UsageError when that is not on this machine."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not _on_this_machine(parts.hostname):
            raise UsageError(f"{url}: only a server on this machine is asked (http://127.0.0.1:PORT), because another "
                             "one would see which addresses you look for.")  # fmt: skip
        self.url, self._path = url, parts.path.rstrip("/")
        self._link = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=SECONDS)

    def close(self) -> None:
        self._link.close()

    def ask(self, path: str) -> Any:
        """The answer in JSON. Raises Missing when there is none, Refused when it is none."""
        try:
            self._link.request("GET", self._path + path)
            answer = self._link.getresponse()
            raw = answer.read(LONGEST + 1)
        except (OSError, http.client.HTTPException) as problem:
            raise Missing(f"{self.url} does not answer: {problem}. Is the server running?") from problem
        if answer.status != http.client.OK:
            raise Missing(f"{self.url}{path} answered {answer.status} {answer.reason}. Does it speak Esplora's API?")
        try:
            if len(raw) > LONGEST:
                raise ValueError("longer than any answer should be")
            return json.loads(raw)
        except (ValueError, RecursionError) as problem:
            raise Refused(f"{self.url}{path} answered something else than JSON: {problem}") from problem


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fetch(server: Server, addresses: Iterable[str], hops: int, folder: Path) -> Path:
    """The transactions of the addresses and those around them, as a file in a folder of their own."""
    found: dict[str, dict[str, Any]] = {}
    for address in sorted(set(addresses)):
        if ADDRESS.fullmatch(address):
            for transaction in _of_address(server, address):
                _keep(found, transaction)
    for step in (_parents, _children):
        edge = sorted(found)
        for _ in range(hops):
            edge = [txid for txid in sorted(set(step(server, found, edge))) if _fetched(server, found, txid)]
    path = folder / FILE
    path.write_text("".join(json.dumps(found[txid], sort_keys=True) + "\n" for txid in sorted(found)), "utf-8")
    return path


def _of_address(server: Server, address: str) -> Iterator[dict[str, Any]]:
    """All confirmed transactions of an address, page after page."""
    last = ""
    while page := server.ask(f"/address/{address}/txs/chain{last}"):
        yield from page
        if len(page) < PAGE or last == f"/{page[-1]['txid']}":
            return
        last = f"/{page[-1]['txid']}"


def _keep(found: dict[str, dict[str, Any]], transaction: Any) -> bool:
    """Whether it is a confirmed transaction that was not known."""
    if not isinstance(transaction, dict) or not TXID.fullmatch(str(transaction.get("txid"))):
        raise Refused(f"the server gave something that is no transaction: {str(transaction)[:200]}")
    if transaction["txid"] in found or not (transaction.get("status") or {}).get("confirmed"):
        return False
    if len(found) >= MOST:
        raise Refused(f"more than {MOST:,} transactions would be asked for. Give the node's blocks folder instead.")
    found[transaction["txid"]] = transaction
    return True


def _fetched(server: Server, found: dict[str, dict[str, Any]], txid: str) -> bool:
    return txid not in found and _keep(found, server.ask(f"/tx/{txid}"))


def _parents(server: Server, found: dict[str, dict[str, Any]], edge: list[str]) -> Iterator[str]:
    """What these transactions spend."""
    for txid in edge:
        for spend in found[txid].get("vin", ()):
            if not spend.get("is_coinbase") and TXID.fullmatch(str(spend.get("txid"))):
                yield spend["txid"]


def _children(server: Server, found: dict[str, dict[str, Any]], edge: list[str]) -> Iterator[str]:
    """What spends these transactions."""
    for txid in edge:
        for spent in server.ask(f"/tx/{txid}/outspends"):
            if spent.get("spent") and TXID.fullmatch(str(spent.get("txid"))):
                yield spent["txid"]
