"""Build the tests' wallets anew: `python tools/build_wallets.py BIN`, a folder with `bitcoind` and `bitcoin-cli`.

Every wallet is one of the regression-test network and was made for this. Those with descriptors the program wrote
itself; the one with single keys, which newer programs no longer write, is laid out by the tests and read by the program
(`migratewallet`). `truth.json` is what the program says of them. Made with Bitcoin Knots 29.4, whose wallets are those
of Bitcoin Core; needs Debian's python3-bsddb3.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.extract.wallet_files import berkeley, legacy_records

COMMITTED = Path(__file__).parents[1] / "tests" / "extract" / "core_wallets"
OTHER = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"
POOL = 8


class Node:
    """A node of the regression-test network with no peers."""

    def __init__(self, programs: Path, home: Path) -> None:
        self.programs, self.home = programs, home
        self.process = subprocess.Popen(
            [programs / "bitcoind", "-regtest", f"-datadir={home}", "-listen=0", f"-keypool={POOL}",
             "-fallbackfee=0.0001", f"-walletdir={home}"], stdout=subprocess.DEVNULL)  # fmt: skip

    def ask(self, *words: Any, wallet: str = "") -> Any:
        command = [self.programs / "bitcoin-cli", "-regtest", f"-datadir={self.home}", "-rpcwait"]
        command += [f"-rpcwallet={wallet}"] if wallet else []
        said = subprocess.run([*command, *map(str, words)], capture_output=True, text=True, check=True).stdout
        try:
            return json.loads(said)
        except ValueError:
            return said.strip()

    def stop(self) -> None:
        self.ask("stop")
        self.process.wait()


def build(programs: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="cw-") as home:
        node = Node(programs, Path(home))
        try:
            truth = {name: make(node) for name, make in MAKERS.items()}
        finally:
            node.stop()
        for name in MAKERS:
            shutil.copyfile(LAID_OUT.get(name, Path(home) / name / "wallet.dat"), folder / f"{name}.dat")
    (folder / "truth.json").write_text(json.dumps(truth, indent=1, sort_keys=True) + "\n", "utf-8")


def till(node: Node) -> dict[str, Any]:
    """A wallet in use: it gave out addresses, was paid, and paid."""
    node.ask("createwallet", "till")
    mined = node.ask("getnewaddress", "mined", wallet="till")
    for kind in ("legacy", "p2sh-segwit", "bech32", "bech32m"):
        for number in range(2):
            node.ask("getnewaddress", f"{kind} {number}", kind, wallet="till")
    node.ask("setlabel", OTHER, "Großhändler", wallet="till")
    node.ask("generatetoaddress", 102, mined)
    node.ask("sendtoaddress", OTHER, 1, wallet="till")
    return said(node, "till")


def locked(node: Node) -> dict[str, Any]:
    """A wallet that was in use before it was encrypted."""
    node.ask("createwallet", "locked")
    node.ask("getnewaddress", "before", wallet="locked")
    before = node.ask("listdescriptors", "true", wallet="locked")
    node.ask("encryptwallet", "amber", wallet="locked")
    node.ask("getnewaddress", "after", wallet="locked")
    node.ask("walletpassphrase", "amber", 600, wallet="locked")
    told = said(node, "locked")
    return {**told, "secrets": sorted({*told["secrets"], *secrets(before)})}


def watch(node: Node) -> dict[str, Any]:
    """A wallet without private keys, as a shop's server has it."""
    node.ask("createwallet", "watch", "true", "true")
    public = next(
        d["desc"] for d in node.ask("listdescriptors", wallet="till")["descriptors"] if d["desc"][:4] == "wpkh"
    )
    lone = node.ask("getdescriptorinfo", f"addr({OTHER})")["descriptor"]
    wanted = [{"desc": public, "timestamp": 1600000000, "active": True, "range": [0, POOL]},
              {"desc": lone, "timestamp": 1600000000, "label": "lone"}]  # fmt: skip
    node.ask("importdescriptors", json.dumps(wanted), wallet="watch")
    node.ask("getnewaddress", "first order", "bech32", wallet="watch")
    return said(node, "watch", private=False)


def single(node: Node) -> dict[str, Any]:
    """A wallet of single keys that the program migrates."""
    made, secret = legacy_records()
    LAID_OUT["single"] = node.home / "single.dat"
    berkeley(LAID_OUT["single"], made, [])
    (node.home / "single").mkdir()
    shutil.copyfile(LAID_OUT["single"], node.home / "single" / "wallet.dat")
    node.ask("migratewallet", "single")
    told = said(node, "single")
    return {**told, "secrets": sorted({*told["secrets"], *secret})}


def said(node: Node, wallet: str, *, private: bool = True) -> dict[str, Any]:
    """What the program says of a wallet: every address by the descriptor that leads to it, labels, and private keys."""
    lines = node.ask("listdescriptors", *(["true"] if private else []), wallet=wallet)["descriptors"]
    shown = node.ask("listdescriptors", wallet=wallet)["descriptors"]
    derived = [
        {"desc": public["desc"], "internal": line.get("internal"), "next": line.get("next_index"),
         "addresses": addresses(node, line)} for line, public in zip(lines, shown, strict=True)
    ]  # fmt: skip
    labels = {label: node.ask("getaddressesbylabel", label, wallet=wallet)
              for label in node.ask("listlabels", wallet=wallet)}  # fmt: skip
    book = {a: {"label": label, "purpose": told["purpose"]} for label, of in labels.items() for a, told in of.items()}
    kept = secrets({"descriptors": lines}) if private else []
    return {"lines": derived, "book": book, "secrets": kept}


def addresses(node: Node, line: Any) -> list[str]:
    """What the program derives from a descriptor; of one that stands for several scripts, those with addresses."""
    body = line["desc"].partition("#")[0]
    forms = [body]
    if body.startswith("combo("):
        inner = body.removeprefix("combo(").removesuffix(")")
        forms = [f"pkh({inner})", f"wpkh({inner})", f"sh(wpkh({inner}))"]
    ends = [json.dumps([0, line["range"][1]])] if "range" in line else []
    found = list[str]()
    for form in forms:
        try:
            check = node.ask("getdescriptorinfo", form)["checksum"]
        except subprocess.CalledProcessError:
            continue  # a key that is not compressed has no such form
        found += node.ask("deriveaddresses", f"{form}#{check}", *ends)
    return found


def secrets(told: Any) -> list[str]:
    """The private keys in descriptors."""
    texts = [line["desc"] for line in told["descriptors"]]
    cut = [piece for text in texts for piece in text.replace("(", ",").replace(")", ",").replace("/", ",").split(",")]
    return sorted({piece.rpartition("]")[2] for piece in cut if "prv" in piece or len(piece) in (51, 52)})


MAKERS = {"till": till, "locked": locked, "watch": watch, "single": single}
LAID_OUT = dict[str, Path]()

if __name__ == "__main__":
    build(Path(sys.argv[1]), COMMITTED)
