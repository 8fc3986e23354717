"""A server that answers as Esplora does, out of the tables of a chain: real HTTP on this machine."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow as pa

from casewright.model.bitcoin import script_of_address

PAGE = 25


class Answers:
    """What the server says: transactions, those of each address newest first, and what spends each output."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        blocks = {r["hash"]: r for r in tables["blocks"].to_pylist() if r["state"] == "main"}
        self.spent: dict[str, list[dict[str, Any]]] = {}
        self.of: dict[str, list[str]] = {}
        self.known: dict[str, dict[str, Any]] = {}
        for row in tables["transactions"].to_pylist():
            block = blocks[row["block"]]
            status = {"confirmed": True, "block_height": block["height"], "block_hash": block["hash"],
                      "block_time": int(block["time"].timestamp())}  # fmt: skip
            vin = [{"is_coinbase": True, "txid": "00" * 32, "vout": 0xFFFFFFFF}] if row["coinbase"] else []
            self.known[row["txid"]] = {"txid": row["txid"], "vin": vin, "vout": [], "status": status,
                                       "version": row["version"], "locktime": row["lock_time"]}  # fmt: skip
        coins = {(r["txid"], r["vout"]): r for r in tables["outputs"].to_pylist()}
        for (txid, _), coin in coins.items():
            script = script_of_address(coin["address"], "regtest").hex() if coin["address"] else "6a"
            self.known[txid]["vout"].append(
                {"scriptpubkey": script, "scriptpubkey_address": coin["address"], "value": coin["sats"]}
            )
            self._meets(coin["address"], txid)
            spender = {"spent": True, "txid": coin["spent_by"]} if coin["spent_by"] else {"spent": False}
            self.spent.setdefault(txid, []).append(spender)
        for row in tables["inputs"].to_pylist():
            self.known[row["txid"]]["vin"].append({"txid": row["prev_txid"], "vout": row["prev_vout"]})
            self._meets(coins[row["prev_txid"], row["prev_vout"]]["address"], row["txid"])

    def _meets(self, address: str | None, txid: str) -> None:
        own = self.of.setdefault(address or "", [])
        if txid not in own:
            own.append(txid)

    def to(self, path: str) -> Any:
        match path.strip("/").split("/"):
            case ["tx", txid]:
                return self.known.get(txid)
            case ["tx", txid, "outspends"]:
                return self.spent.get(txid)
            case ["address", address, "txs", "chain", *last]:
                own = self.of.get(address, [])[::-1]
                start = own.index(last[0]) + 1 if last else 0
                return [self.known[txid] for txid in own[start : start + PAGE]]
        return None


@contextmanager
def serving(answers: Answers) -> Iterator[tuple[str, list[str]]]:
    """The server's URL, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version, wbufsize = "HTTP/1.1", 1 << 16

        def do_GET(self) -> None:
            asked.append(self.path)
            found = answers.to(self.path)
            raw = b"not found" if found is None else json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
