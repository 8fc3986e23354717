"""Receipts: who confirmed which package, what became of it, and what does not count and why."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine.stage import Context
from casewright.engine.tables import parquet_bytes
from casewright.model.tables import TABLES
from casewright.refer.receipt_form import LONGEST, blank_form, read_form
from casewright.refer.receipts import receipts
from casewright.vault.case import read_manifest
from casewright.vault.keys import SealKey
from casewright.vault.ledger import canonical
from tests.world import context, digests_of, rows_of

OFFICER, OTHER = SealKey.from_seed(b"an officer in NL"), SealKey.from_seed(b"an officer in DE")
NL, DE = "ab" * 32, "cd" * 32
HELD = parquet_bytes(TABLES["figures"].rows([
    {"figure": "fig-1", "country": "NL", "subject": "referral-1", "sources": ["acct-1"]},
    {"figure": "fig-2", "country": "NL", "subject": "referral-2", "sources": ["acct-2", "person-2"]},
]))  # fmt: skip
needs_minisign = pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not installed")


def filled(more: str = "", **said: str) -> bytes:
    """The form that goes along with NL's package, filled in as an officer would."""
    words = {"Package SHA-256": NL, "Received on": "2026-03-31", "Received by": "A. Officer", **said}
    lines = blank_form("NL", "TLP:AMBER", "R. Example", ["acct-1", "acct-2"]).split("\n")
    text = [next((f"{line} {v}" for k, v in words.items() if line == f"{k}:"), line) for line in lines]
    return ("\n".join(text) + more).encode()


class World:
    """Receipts as they were sealed, with what the ledger says of packages and keys."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        recorded = {"NL": OFFICER.public, "DE": OTHER.public} if keys is None else keys
        sealed: list[dict[str, Any]] = [{"country": c, "package": c, "tagmanifest": d, "recipients": [], "figures": f}
                  for c, d, f in (("NL", NL, digests_of(HELD).sha256), ("DE", DE, None))]  # fmt: skip
        self.told: dict[str, list[dict[str, Any]]] = {
            "sealed": [], "package sealed": sealed, "package sent": [], "receipt trusted": [],
            "recipient key": [{"country": c, "key": k, "examiner": "R. Example"} for c, k in recorded.items()],
        }  # fmt: skip
        self.blobs = [HELD]

    def give(self, text: bytes, signature: bytes | None) -> str:
        """Seal a receipt; returns its exhibit."""
        files = [("receipt.txt", text)] + ([("receipt.txt.minisig", signature)] if signature is not None else [])
        exhibit = text
        if len(files) > 1:
            exhibit = b"".join(canonical({"path": n.encode().hex(), "name": n, "size": len(raw),
                                          "sha256": digests_of(raw).sha256}) + b"\n" for n, raw in files)  # fmt: skip
            assert len(read_manifest(exhibit)) == len(files)
        self.blobs += [exhibit, *(raw for _, raw in files)]
        self.told["sealed"].append({"exhibit": digests_of(exhibit).sha256, "role": "receipt", "name": "receipt.txt",
                                    "form": "folder" if len(files) > 1 else "file"})  # fmt: skip
        return digests_of(exhibit).sha256

    def result(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[tuple[str, str]]]:
        """Receipts, outcomes, and what was set aside: reason and detail."""
        made = context({}, self.blobs)
        lines = {f"ledger/{kind}": pa.table({"event": pa.array([json.dumps({"data": e}) for e in events], pa.string())})
                 for kind, events in self.told.items()}  # fmt: skip
        output = receipts(pa.table({}), Context({}, lines, made.blobs))
        for tally in output.tallies:
            away = sum(a.noun == tally.noun for a in output.set_aside)
            assert tally.received == tally.done + tally.nothing + away, tally
        tables = {name: rows_of(table) for name, table in output.tables.items()}
        return tables["receipts"], tables["outcomes"], [(a.reason, a.detail) for a in output.set_aside]


def only(text: bytes, signature: bytes | None, world: World | None = None) -> tuple[str, str]:
    """Why a receipt was set aside."""
    world = world or World()
    world.give(text, signature)
    taken, _, aside = world.result()
    assert not taken
    assert len(aside) == 1
    return aside[0]


def test_a_signed_receipt_says_which_package_by_whom_when_and_what_became_of_each() -> None:
    text = filled(
        **{"Signature verified": "yes", "Every file verified": "No", "Unit": "Team 4", "Our reference": "R-7",
           "Outcome of acct-1": "Under investigation; a warrant is asked for", "Outcome of acct-2": "sent on to BE"}
    )  # fmt: skip
    world = World()
    world.give(text, OFFICER.sign(text, "from the officer"))
    (receipt,), outcomes, aside = world.result()
    assert aside == []
    assert {k: receipt[k] for k in ("tagmanifest", "country", "received_day", "received_by", "unit", "reference",
                                    "signature_verified", "files_verified", "handling_accepted", "signed_by")} == {
        "tagmanifest": NL, "country": "NL", "received_day": "2026-03-31", "received_by": "A. Officer", "unit": "Team 4",
        "reference": "R-7", "signature_verified": True, "files_verified": False, "handling_accepted": None,
        "signed_by": OFFICER.public}  # fmt: skip
    assert [(o["item_id"], o["outcome"], o["sent_on_to"], o["words"], o["stands"]) for o in outcomes] == [
        ("acct-1", "under investigation", None, "a warrant is asked for", True),
        ("acct-2", "sent on", "BE", None, True),
    ]
    for row in outcomes:
        stands = text[row["span_start"] : row["span_start"] + row["span_length"]]
        assert stands.startswith(f"Outcome of {row['item_id']}:".encode())


@needs_minisign
@pytest.mark.parametrize("legacy", [[], ["-l"]], ids=["prehashed", "legacy"])
def test_what_stock_minisign_signs_is_taken(tmp_path: Path, legacy: list[str]) -> None:
    make = ["minisign", "-G", "-W", "-p", str(tmp_path / "k.pub"), "-s", str(tmp_path / "k.key")]
    subprocess.run(make, check=True, capture_output=True)
    text = tmp_path / "receipt.txt"
    text.write_bytes(filled())
    sign = ["minisign", "-S", *legacy, "-s", str(tmp_path / "k.key"), "-m", str(text)]
    subprocess.run(sign, check=True, capture_output=True)
    public = (tmp_path / "k.pub").read_text().splitlines()
    signature = (tmp_path / "receipt.txt.minisig").read_bytes()
    world = World({"NL": public[1]})
    world.give(text.read_bytes(), signature)
    assert [r["signed_by"] for r in world.result()[0]] == [public[1]]
    reason, detail = only(text.read_bytes(), signature, World())
    assert reason == "unknown key"
    assert public[0].rpartition(" ")[2] in detail  # the number that minisign itself prints


def test_later_receipts_go_before_earlier_ones_item_by_item() -> None:
    world = World()
    for words in ({"Outcome of acct-1": "received", "Outcome of acct-2": "received"},
                  {"Outcome of acct-1": "person identified"}):  # fmt: skip
        text = filled(**words)
        world.give(text, OFFICER.sign(text, ""))
    _, outcomes, _ = world.result()
    assert [(o["item_id"], o["outcome"]) for o in outcomes if o["stands"]] == [
        ("acct-2", "received"), ("acct-1", "person identified")]  # fmt: skip


def test_the_same_words_signed_again_count_once() -> None:
    world, text = World(), filled()
    world.give(text, OFFICER.sign(text, "first"))
    world.give(text, OFFICER.sign(text, "second"))
    taken, _, aside = world.result()
    assert (len(taken), aside) == (1, [])


def test_text_that_was_altered_after_signing_never_counts_not_even_on_trust() -> None:
    text = filled()
    signature = OFFICER.sign(text, "")
    other = text.replace(b"A. Officer", b"A. Another")
    for changed, beside in ((other, signature), (text, signature[:-20] + b"A" * 20), (text, b"nonsense"), (text, b"")):
        world = World()
        exhibit = world.give(changed, beside)
        world.told["receipt trusted"].append({"exhibit": exhibit, "why": "they called", "examiner": "R. Example"})
        taken, _, aside = world.result()
        assert (taken, [reason for reason, _ in aside]) == ([], ["altered"])


def test_an_unsigned_receipt_counts_only_by_a_recorded_decision() -> None:
    for signature, reason in ((None, "unsigned"), (SealKey.from_seed(b"?").sign(filled(), ""), "unknown key"),
                              (OTHER.sign(filled(), ""), "key of another recipient")):  # fmt: skip
        assert only(filled(), signature)[0] == reason
        world = World()
        exhibit = world.give(filled(), signature)
        world.told["receipt trusted"].append({"exhibit": exhibit, "why": "they called", "examiner": "R. Example"})
        (receipt,), _, aside = world.result()
        found = [receipt[column] for column in ("signed_by", "trusted_by", "trusted_why")]
        assert found == [None, "R. Example", "they called"]
        assert aside == []


def test_a_signed_copy_of_a_trusted_receipt_makes_it_signed() -> None:
    world = World()
    world.told["receipt trusted"].append({"exhibit": world.give(filled(), None), "why": "x", "examiner": "R. Example"})
    world.give(filled(), OFFICER.sign(filled(), ""))
    (receipt,), _, _ = world.result()
    assert (receipt["signed_by"], receipt["trusted_by"]) == (OFFICER.public, None)


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        (filled(**{"Package SHA-256": "12" * 32}), "wrong package", "never sealed"),
        (filled().replace(b"Package for: NL", b"Package for: DE"), "wrong package", "says it is for DE"),
        (filled(**{"Package SHA-256": "as above"}), "malformed", "64 hex digits"),
        (filled().replace(b"2026-03-31", b"", 2), "malformed", "'received on' is missing"),
        (filled("\nReceived by: somebody else\n"), "malformed", "twice, and not the same"),
        (b"Thank you, we got it.", "malformed", "is no receipt"),
        (filled().decode().encode("utf-16"), "malformed", "UTF-16"),
        (b"", "malformed", "is no receipt"),
        (b"CASEWRIGHT RECEIPT 1\n" + b"x" * (8 << 20), "malformed", "bytes, more than"),
    ],
    ids=range(9),
)
def test_what_is_wrong_with_a_receipt_is_said(text: bytes, reason: str, words: str) -> None:
    found, detail = only(text, OFFICER.sign(text, ""))
    assert found == reason
    assert words in detail


def test_one_bad_line_does_not_cost_the_others() -> None:
    more = (
        "\nOutcome of acct-2: perhaps\nOutcome of acct-9: received\nOutcome of acct-2: sent on\nwhat is this\n"
        "Outcome of fig-1: received; \x00\x1b[31m\nNote: " + "n" * LONGEST + "\nSignature verified: dunno\n"
    )
    text = filled(more, **{"Outcome of acct-1": "opened"})
    world = World()
    world.give(text, OFFICER.sign(text, ""))
    _, outcomes, aside = world.result()
    assert [(o["item_id"], o["outcome"]) for o in outcomes] == [("acct-1", "opened")]
    assert sorted(reason for reason, _ in aside) == ["hostile text", "hostile text", "not in the package",
                                                     *["not understood"] * 4]  # fmt: skip
    assert all("line " in detail and "\x1b" not in detail and len(detail) < 400 for _, detail in aside)


def test_two_outcomes_of_one_item_that_differ_are_both_set_aside() -> None:
    text = filled("\nOutcome of acct-1: not ours\n", **{"Outcome of acct-1": "opened"})
    world = World()
    world.give(text, OFFICER.sign(text, ""))
    _, outcomes, aside = world.result()
    assert (outcomes, [reason for reason, _ in aside]) == ([], ["said twice", "said twice"])


@pytest.mark.parametrize("form", [NL.upper(), f"{NL}  tagmanifest-sha256.txt", " ".join([NL[:32], NL[32:]])])
def test_the_digest_may_be_copied_as_people_do(form: str) -> None:
    assert read_form(filled(**{"Package SHA-256": form})).problem == ""


def test_windows_line_ends_a_byte_order_mark_and_letters_of_a_code_page_are_read() -> None:
    text = filled(**{"Received by": "José Ñ"})
    for raw in (b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), text.decode().encode("cp1252")):
        assert read_form(raw).fields["received by"] == "José Ñ"


def test_the_form_that_goes_along_names_accounts_by_id_and_is_blank(tmp_path: Path) -> None:
    text = blank_form("NL", "TLP:AMBER\nReceived by: nobody", "R.\nExample", ["acct-1"])
    found = read_form(text.encode())
    assert found.problem == "is not filled in: 'package sha-256' is missing"
    assert (set(found.fields), found.outcomes, found.bad) == ({"package for"}, [], [])


def test_a_receipt_that_came_in_after_its_key_was_withdrawn_is_refused_with_the_reason() -> None:
    """What was in before counts; a key that is recorded anew counts again."""
    world = World()
    early, late = filled(), filled(Note="late")
    world.give(early, OFFICER.sign(early, ""))
    world.give(late, OFFICER.sign(late, ""))
    world.told["recipient key"].append({"country": "NL", "key": OFFICER.public, "withdrawn": True, "after": 1,
                                        "examiner": "R. Example", "why": "the laptop was stolen"})  # fmt: skip
    taken, _, ((reason, detail),) = world.result()
    assert [row["signed_by"] for row in taken] == [OFFICER.public]
    assert reason == "withdrawn key"
    assert "R. Example withdrew before it came in: the laptop was stolen" in detail
    world.told["recipient key"].append({"country": "NL", "key": OFFICER.public, "examiner": "R. Example"})
    assert len(world.result()[0]) == 2
