"""Checks a Casewright case, or a package of one, by the published formats alone (docs/formats/).

    python verify_seals.py CASE
    python verify_seals.py PACKAGE --key SENDERS_KEY

Nothing of Casewright is used: Python, and `cryptography` for Ed25519. Every line says what was checked and whether it
holds; `older` means that a killed run left an older table, or half a line; `casewright run` mends it. Exit code 0: all
of it holds. 5: something does not. What this cannot show: that the words in the ledger are true.
"""

import base64
import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path, PurePosixPath

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SHARED = ("set_aside", "tallies")
HEX = set("0123456789abcdef")
MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
KEY_LINE = re.compile(r"sealed with minisign key: (\S+)")


class Report:
    """What was found, printed as it is found."""

    def __init__(self):
        self.broken = self.older = 0

    def say(self, what, problem="", state="BROKEN", good="holds"):
        self.broken += bool(problem) and state == "BROKEN"
        self.older += bool(problem) and state == "older"
        print(f"{state:6}  {what}: {problem}" if problem else f"holds   {what}: {good}")


def sha256_of(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value):
    """Canonical JSON (docs/formats/ledger.md)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature_problem(data, signature, public):
    """Why a minisign signature does not hold over `data`; empty when it does. https://jedisct1.github.io/minisign/"""
    try:
        _, first, comment, second = signature.decode().split("\n")[:4]
        key, one, two = (base64.b64decode(text, validate=True) for text in (public, first, second))
        trusted = comment.removeprefix("trusted comment: ").encode()
        if len(key) != 42 or len(one) != 74 or key[2:10] != one[2:10]:
            return "is by another key"
        signed = hashlib.blake2b(data, digest_size=64).digest() if one[:2] == b"ED" else data
        ed25519 = Ed25519PublicKey.from_public_bytes(key[10:])
        ed25519.verify(one[10:], signed)
        ed25519.verify(two, one[10:] + trusted)
    except InvalidSignature:
        return "does not hold"
    except ValueError as error:
        return f"is no minisign signature ({error})"
    return ""


def ledger_lines(case):
    return (case / "ledger.jsonl").read_bytes().splitlines(keepends=True)


def check_ledger(case, public, report):
    """The chain of the lines, and their signed head. Returns the events up to the first line that is broken."""
    events, last, ends, lines = [], "0" * 64, [], ledger_lines(case)
    zeros = next((number for number, line in enumerate(lines) if b"\0" in line), len(lines))
    torn, lines = b"".join(lines[zeros:]), lines[:zeros]  # a power cut leaves zeros, or a line without its end
    torn = torn or (lines.pop() if lines and not lines[-1].endswith(b"\n") else b"")
    for number, line in enumerate(lines):
        try:
            event = json.loads(line)
            whole = line == canonical(event) + b"\n" and event["seq"] == number and event["prev"] == last
        except (ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            report.say(f"ledger.jsonl line {number}", "does not follow from the line before it, or is not canonical")
            return events
        last = hashlib.sha256(b"\0" + line.removesuffix(b"\n")).hexdigest()
        ends.append(last)
        events.append(event)
    try:
        line, _, signature = (case / "ledger.head").read_bytes().partition(b"\n")
        head = json.loads(line)
        problem = signature_problem(line, signature, public)
        if not problem and not (0 < head["lines"] <= len(ends) and ends[head["lines"] - 1] == head["last"]):
            problem = f"says {head['lines']} lines; the ledger has {len(ends)}, or others"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"cannot be read ({error})"
    report.say("ledger.head", problem)
    if events and events[0]["data"].get("key") != public:
        report.say("case.toml", "names another key than the ledger's first line")
    if torn:  # behind all that was signed: nobody was told of it
        report.say("ledger.jsonl", f"{len(events)} lines, and one that a write never ended", "older")
    else:
        report.say("ledger.jsonl", good=f"{len(events)} lines")
    return events


def stored(case, digest):
    """The file that holds these bytes, in the store or where a large source lies; None when there is none
    (docs/formats/store.md)."""
    path = case / "store" / digest[:2] / digest[2:]
    if path.is_file():
        return path
    reference = path.with_name(path.name + ".ref")
    if not reference.is_file():
        return None
    source = Path(bytes.fromhex(json.loads(reference.read_bytes())["path"]).decode("utf-8", "surrogateescape"))
    return source if source.is_file() else None


def check_store(case, events, report):
    """Every sealed byte is what its name says, and everything that the ledger says was sealed is there."""
    count = 0
    if not (case / "store").is_dir():
        report.say("store", "is gone")
        return
    for shelf in sorted(p for p in (case / "store").iterdir() if p.name != "tmp"):
        if len(shelf.name) != 2 or not set(shelf.name) <= HEX or not shelf.is_dir():
            report.say(f"store/{shelf.name}", "does not belong into a store")
            continue
        for path in sorted(shelf.iterdir()):
            digest = shelf.name + path.name.removesuffix(".ref")
            source = stored(case, digest)
            if source is None or sha256_of(source) != digest:
                report.say(f"store/{shelf.name}/{path.name}", "is gone, or was changed")
            count += 1
    for event in (e for e in events if e["kind"] == "sealed"):
        about, wanted = event["data"], [event["data"]["exhibit"]]
        held = stored(case, wanted[0])
        if held and about["form"] != "file":
            wanted += [json.loads(line)["sha256"] for line in held.read_bytes().splitlines()]
        if lacking := [digest for digest in wanted if stored(case, digest) is None]:
            report.say(f"exhibit {about['name']}", f"{len(lacking)} of {len(wanted)} files are gone")
    report.say("store", good=f"{count} files were hashed")


def check_tables(case, events, report):
    """Every table is the one that the ledger last announced, in every byte, and its rows are accounted for."""
    done = [e["data"] for e in events if e["kind"] == "stage done"]
    known = {name for event in done for name in event["runs"]} | set(SHARED)
    for folder in sorted(p for p in (case / "tables").iterdir() if not p.name.startswith(".")):
        what = f"tables/{folder.name}"
        if folder.name not in known:
            report.say(what, "is announced by no line of the ledger")
            continue
        try:
            raw = (folder / "run.json").read_bytes()
            run = json.loads(raw)
            files = {part["file"]: part for part in run["parts"]}
            for name, part in files.items():
                if sha256_of(folder / name) != part["sha256"]:
                    raise ValueError(f"{name} was changed")
            held = {p.name for p in folder.iterdir() if p.suffix != ".tmp"}
            if strays := sorted(held - files.keys() - {"run.json"}):
                raise ValueError(f"{strays[0]} is no part of it")
            for tally in run.get("tallies", []):
                if tally["received"] != tally["done"] + tally["nothing"] + tally["set_aside"]:
                    raise ValueError(f"{tally['noun']}: received is not done, nothing and set aside together")
        except (OSError, ValueError, KeyError, TypeError) as error:
            report.say(what, str(error))
            continue
        if folder.name in SHARED:
            said = {part["stage"]: [d["parts"][folder.name] for d in done if d["stage"] == part["stage"]]
                    for part in run["parts"]}  # fmt: skip
            found = [(part["sha256"], said[part["stage"]]) for part in run["parts"]]
        else:
            announced = [d["runs"][folder.name] for d in done if folder.name in d["runs"]]
            found = [(hashlib.sha256(raw).hexdigest(), announced)]
        if any(digest not in announced for digest, announced in found):
            report.say(what, "is not what the ledger announced")
        elif any(digest != announced[-1] for digest, announced in found):
            report.say(what, "is older than the ledger's last line on it", "older")
        else:
            report.say(what, good=f"{sum(p['rows'] for p in run['parts'])} rows")


def plain_file(bag, name):
    """The file of this name in the bag; None when there is none, or the name or a link leads out of it."""
    steps = PurePosixPath(name).parts
    paths = [bag.joinpath(*steps[: n + 1]) for n in range(len(steps))]
    outside = PurePosixPath(name).is_absolute() or ".." in steps or any(p.is_symlink() for p in paths)
    return None if outside or not paths or not paths[-1].is_file() else paths[-1]


def check_package(bag, public, report, ledger=None):
    """Signature, both manifests, every file, nothing added; and that the ledger has the lines that it quotes."""
    what, listed = f"package {bag.name}", {"tagmanifest-sha256.txt", "tagmanifest-sha256.txt.minisig"}
    raw = {name: p.read_bytes() if (p := plain_file(bag, name)) else b"" for name in
           ("tagmanifest-sha256.txt", "tagmanifest-sha256.txt.minisig", "manifest-sha256.txt", "data/recipient.txt",
            "data/ledger.jsonl")}  # fmt: skip
    inside = KEY_LINE.search(raw["data/recipient.txt"].decode("utf-8", "replace"))
    if not public:
        public = inside[1] if inside else ""
        print(f"NOTE    {what}: checked by the key inside it, {public or 'none'}; compare it with the sender's")
    report.say(f"{what}: signature", signature_problem(raw["tagmanifest-sha256.txt"],
               raw["tagmanifest-sha256.txt.minisig"], public))  # fmt: skip
    if inside and inside[1] != public:
        report.say(f"{what}: recipient.txt", "names another sender's key")
    for manifest in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        text = raw[manifest].decode("utf-8", "replace")
        lines = MANIFEST_LINE.findall(text)
        if not lines or "".join(f"{digest}  {name}\n" for digest, name in lines) != text:
            report.say(f"{what}: {manifest}", "is not written as a manifest is")
        for digest, name in lines:
            listed.add(name)
            path = plain_file(bag, name)
            if path is None or sha256_of(path) != digest:
                report.say(f"{what}: {name}", "is gone, was changed, or lies outside")
    for path in sorted(p for p in bag.rglob("*") if p.is_symlink() or not p.is_dir()):
        if path.relative_to(bag).as_posix() not in listed:
            report.say(f"{what}: {path.relative_to(bag)}", "is in no manifest: it was added")
    if ledger is not None and (lacking := set(raw["data/ledger.jsonl"].splitlines(keepends=True)) - ledger):
        report.say(f"{what}: ledger.jsonl", f"{len(lacking)} quoted lines are not in this ledger: was it cut?")
    report.say(f"{what}: files", good=f"{len(listed)} files")


def check_case(case, report):
    public = tomllib.loads((case / "case.toml").read_text("utf-8"))["seal"]["public_key"]
    events = check_ledger(case, public, report)
    check_store(case, events, report)
    check_tables(case, events, report)
    sealed = {e["data"]["tagmanifest"] for e in events if e["kind"] == "package sealed"}
    for bag in sorted(p for p in (case / "packages").glob("[!.]*") if p.is_dir()):
        check_package(bag, public, report, set(ledger_lines(case)))
        tags = plain_file(bag, "tagmanifest-sha256.txt")
        if tags is None or sha256_of(tags) not in sealed:
            report.say(f"package {bag.name}", "was sealed by no line of the ledger")


def main(arguments):
    folder, key = (Path(arguments[0]), arguments[2:3]) if arguments else (None, [])
    if folder is None or not folder.is_dir() or (arguments[1:2] and (arguments[1] != "--key" or not key)):
        print(__doc__)
        return 2
    report = Report()
    if (folder / "case.toml").is_file():
        check_case(folder, report)
    else:
        check_package(folder, key[0] if key else "", report)
    print(f"{report.broken} broken, {report.older} older" if report.broken or report.older else "all of it holds")
    return 5 if report.broken or report.older else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
