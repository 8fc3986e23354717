"""Selectors against the patterns that one would give to grep and ripgrep: what is found, what is made up, how fast.

uv run python bench/selector_search.py [--megabytes N] [--folder FOLDER]

The bytes are made here, with selectors planted at known places, in one byte a letter and in two, and with what is
nearly one: broken checksums, versions, digests, names of pictures. Both sides answer with kinds and places.
"""

import argparse
import base64
import hashlib
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import phonenumbers
from claims import Claim, claims_option, hand_over
from Crypto.Hash import keccak
from figures import Time, place, race

from casewright.extract.selectors import find_selectors
from casewright.model.bitcoin import BASE58, base58check_encode, segwit_encode

Found = tuple[str, int]
PLAIN = {
    "bitcoin": r"\b([13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,87})\b",
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
    "ethereum": r"\b0x[0-9A-Fa-f]{40}\b",
    "ip": r"\b([0-9]{1,3}\.){3}[0-9]{1,3}\b|\b[0-9a-f]{4}(:[0-9a-f]{1,4})*::[0-9a-f]+\b",
    "monero": r"\b[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b",
    "onion": r"[a-z2-7]{56}\.onion",
    "pgp": r"\b([0-9A-F]{4} ){5} ?([0-9A-F]{4} ){4}[0-9A-F]{4}\b|\b[0-9A-F]{40}\b",
    "phone": r"\+[1-9][0-9 ().-]{6,20}[0-9]",
    "url": "(https?|ftp)://[^ \"'<>]+",
}
"""One pattern a kind, as they stand in cheat sheets."""
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass
class Corpus:
    """Bytes, and where selectors stand in them: (kind, first byte) with the text, apart for two bytes a letter."""

    raw: bytearray = field(default_factory=bytearray)
    truth: dict[Found, str] = field(default_factory=dict)
    wide: dict[Found, str] = field(default_factory=dict)

    def add(self, text: str, kind: str = "", wide: bool = False) -> None:
        if kind:
            (self.wide if wide else self.truth)[kind, len(self.raw)] = text
        self.raw += text.encode("utf-16-le" if wide else "ascii")


class Maker:
    """Invented selectors, and texts that are nearly ones."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def word(self) -> str:
        return "".join(self.dice.choices(LETTERS, k=self.dice.randint(2, 10)))

    def bitcoin(self) -> str:
        if self.dice.random() < 0.5:
            return base58check_encode(bytes([self.dice.choice((0, 5))]) + self.dice.randbytes(20))
        return segwit_encode("bc", self.dice.choice((0, 1)), self.dice.randbytes(32))

    def email(self) -> str:
        return f"{self.word()}.{self.word()}@{self.word()}.{self.dice.choice(('org', 'net', 'example', 'co.uk'))}"

    def ethereum(self) -> str:
        digits = self.dice.randbytes(20).hex()
        check = keccak.new(digest_bits=256, data=digits.encode()).hexdigest()
        return "0x" + "".join(d.upper() if int(c, 16) > 7 else d for d, c in zip(digits, check, strict=False))

    def ip(self) -> str:
        if self.dice.random() < 0.2:
            return f"2001:db8:{self.dice.randrange(1, 65535):x}::{self.dice.randrange(1, 65535):x}"
        return f"203.0.{self.dice.randrange(256)}.{self.dice.randrange(256)}"

    def monero(self) -> str:
        raw = b"\x12" + self.dice.randbytes(64)
        raw += keccak.new(digest_bits=256, data=raw).digest()[:4]
        return "".join(_block(raw[at : at + 8]) for at in range(0, len(raw), 8))

    def onion(self) -> str:
        key = self.dice.randbytes(32)
        check = hashlib.sha3_256(b".onion checksum" + key + b"\x03").digest()[:2]
        return base64.b32encode(key + check + b"\x03").decode().lower() + ".onion"

    def pgp(self) -> str:
        digits = self.dice.randbytes(20).hex().upper()
        groups = [digits[at : at + 4] for at in range(0, 40, 4)]
        return " ".join(groups[:5]) + "  " + " ".join(groups[5:])

    def phone(self) -> str:
        region = self.dice.choice(("DE", "FR", "GB", "US", "NL", "PL"))
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    def url(self) -> str:
        return (
            f"https://{self.word()}.example.org/{self.word()}/{self.word()}?{self.word()}={self.dice.randrange(9999)}"
        )

    def any(self) -> tuple[str, str]:
        kind = self.dice.choice(list(PLAIN))
        return kind, getattr(self, kind)()

    def near_miss(self) -> str:
        """What looks like a selector and is none."""
        kind = self.dice.randrange(8)
        if kind == 0:
            return f"version {self.dice.randrange(9)}.{self.dice.randrange(99)}.3.4.{self.dice.randrange(9)}"
        if kind == 1:
            return hashlib.sha1(self.word().encode()).hexdigest().upper()
        if kind == 2:
            return f"{self.word()}@2x.png"
        if kind == 3:
            return f"999.{self.dice.randrange(999)}.300.{self.dice.randrange(999)}"
        if kind == 4:
            return f"+1 000 {self.dice.randrange(100, 999)} {self.dice.randrange(1000, 9999)}"
        text = (self.bitcoin, self.ethereum, self.monero)[kind - 5]()
        at = self.dice.randrange(12, len(text) - 8)
        other = text[at].swapcase() if kind == 6 and text[at].isalpha() else ("3" if text[at] != "3" else "4")
        return text[:at] + other + text[at + 1 :]


def _block(raw: bytes) -> str:
    number, text = int.from_bytes(raw, "big"), ""
    for _ in range((0, 2, 3, 5, 6, 7, 9, 10, 11)[len(raw)]):
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return text


def log_line(corpus: Corpus, make: Maker) -> None:
    corpus.add(make.ip(), "ip")
    dice = make.dice
    corpus.add(f" - - [{dice.randrange(1, 29):02}/Mar/2018:{dice.randrange(24):02}:11:12 +0000] ")
    corpus.add(f'"GET /{make.word()} HTTP/1.1" 200 {dice.randrange(99999)} "')
    corpus.add(make.url(), "url")
    corpus.add('" "Mozilla/5.0 (X11; Linux x86_64)"\n')


def dump_row(corpus: Corpus, make: Maker) -> None:
    corpus.add(f"({make.dice.randrange(99999)},'")
    for kind in ("email", "bitcoin", "ip"):
        corpus.add(getattr(make, kind)(), kind)
        corpus.add("','")
    corpus.add(f"{hashlib.md5(make.word().encode()).hexdigest()}'),\n")


def page(corpus: Corpus, make: Maker) -> None:
    corpus.add(f"<p>{make.word()} {make.near_miss()} <b>")
    kind, text = make.any()
    corpus.add(text, kind)
    corpus.add("</b> " + " ".join(make.word() for _ in range(40)) + "</p>\n")


def prose(corpus: Corpus, make: Maker) -> None:
    corpus.add(" ".join(make.word() for _ in range(2000)) + ".\n")


def wide(corpus: Corpus, make: Maker) -> None:
    kind, text = make.any()
    corpus.add(" ".join(make.word() for _ in range(30)) + " ", wide=True)
    corpus.add(text, kind, wide=True)
    corpus.add("\r\n", wide=True)


def noise(corpus: Corpus, make: Maker) -> None:
    corpus.raw += b"\0" + make.dice.randbytes(1 << 20) + b"\0"


PARTS: dict[str, tuple[float, Callable[[Corpus, Maker], None]]] = {
    "logs": (0.1, log_line), "dumps": (0.1, dump_row), "pages": (0.15, page), "two bytes a letter": (0.05, wide),
    "prose": (0.2, prose), "noise": (0.4, noise),
}  # fmt: skip
"""Share of the bytes, and what makes a piece of each part."""


def made(part: str, size: int) -> Corpus:
    corpus, make = Corpus(), Maker(len(part))
    while len(corpus.raw) < size:
        PARTS[part][1](corpus, make)
    return corpus


def ours(path: Path) -> dict[Found, str]:
    with path.open("rb") as file:
        return {(hit.kind, hit.span_start): hit.value for hit in find_selectors(file)}


def theirs(program: list[str], path: Path, pattern: str) -> Iterator[tuple[int, str]]:
    """Places and texts that a program prints."""
    done = subprocess.run([*program, pattern, str(path)], capture_output=True, check=False, env=ENVIRONMENT)
    for line in done.stdout.split(b"\n"):
        place, colon, text = line.partition(b":")
        if colon and place.isdigit():
            yield int(place), text.decode("latin-1")


def judge(name: str, found: dict[Found, str], truth: dict[Found, str]) -> str:
    """Right: at the place, and the text itself, also with what follows it."""
    lines = []
    for kind in PLAIN:
        due = {place: text for (one, place), text in truth.items() if one == kind}
        got = {place: text for (one, place), text in found.items() if one == kind}
        right = sum(place in got and got[place].startswith(text) for place, text in due.items())
        share = f"{right / max(1, len(due)):.2%} of {len(due)}"
        lines.append(f"| {kind} | {name} | {share} | {len(got.keys() - due.keys())} |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description="Selectors, side by side")
    options.add_argument("--megabytes", type=int, default=256)
    options.add_argument("--folder", type=Path, help="where the bytes are made and kept")
    claims_option(options)
    chosen = options.parse_args()
    programs = {"grep": ["grep", "-aEob"], "ripgrep": ["rg", "--no-config", "-a", "-o", "-b", "--no-filename", "-N"]}
    programs = {name: call for name, call in programs.items() if shutil.which(call[0])}
    with place(chosen.folder) as folder:
        whole = Corpus()
        speeds = list[str]()
        for part, (share, _) in PARTS.items():
            one = made(part, int(share * chosen.megabytes * 1_000_000))
            path = folder / part.replace(" ", "-")
            path.write_bytes(one.raw)
            speeds.append(line(part, path, raced(path, programs)))
            print(speeds[-1], flush=True)
            for mine, added in ((whole.truth, one.truth), (whole.wide, one.wide)):
                mine.update({(kind, place + len(whole.raw)): text for (kind, place), text in added.items()})
            whole.raw += one.raw + b"\n" * 200
        path = folder / "whole"
        path.write_bytes(whole.raw)
        print("\n| part | MB | ours, MB/s a core | " + " | ".join(f"{name}, MB/s a core" for name in programs) + " |")
        print("|---" * (3 + len(programs)) + "|")
        found = raced(path, programs)
        print("\n".join([*speeds, line("all", path, found)]))
        hand_over("selector_search", chosen.claims, claims(path, found))
        report(path, whole, programs)


def raced(path: Path, programs: dict[str, list[str]]) -> dict[str, Time]:
    sides: dict[str, Callable[[], object]] = {"ours": lambda: _count(path)}
    sides |= {name: partial(_count_theirs, call, path) for name, call in programs.items()}
    return race(sides, 1, warm=False)[0]


def line(part: str, path: Path, times: dict[str, Time]) -> str:
    megabytes = path.stat().st_size / 1e6
    return f"| {part} | {megabytes:.0f} | " + " | ".join(f"{megabytes / t.cpu:.1f}" for t in times.values()) + " |"


def claims(path: Path, times: dict[str, Time]) -> Iterator[Claim]:
    megabytes = path.stat().st_size / 1e6
    for name in ("grep", "ripgrep"):
        theirs, note = (megabytes / times[name].cpu, "") if name in times else (None, f"{name} is not there")
        yield Claim(f"all-{name}", megabytes / times["ours"].cpu, "MB/s", f"{megabytes:,.0f} MB", theirs, note=note)


def _count_theirs(call: list[str], path: Path) -> list[int]:
    return [sum(1 for _ in theirs(call, path, pattern)) for pattern in PLAIN.values()]


def _count(path: Path) -> Counter[str]:
    with path.open("rb") as file:
        return Counter(hit.kind for hit in find_selectors(file))


def report(path: Path, whole: Corpus, programs: dict[str, list[str]]) -> None:
    print("\n| kind | side | found of what was planted | found, and not planted |\n|---|---|---|---|")
    started = time.process_time()
    found = ours(path)
    planted = {place for _, place in whole.wide}
    one_byte = {key: text for key, text in found.items() if key[1] not in planted}
    print(judge("ours", one_byte, whole.truth))
    for name, call in programs.items():
        got = {(kind, at): text for kind, pattern in PLAIN.items() for at, text in theirs(call, path, pattern)}
        print(judge(name, got, whole.truth))
    print("\nIn two bytes a letter (the others find none of these):\n")
    print(judge("ours", {key: text for key, text in found.items() if key[1] in planted}, whole.wide))
    print(f"\n{time.process_time() - started:.0f} s")


if __name__ == "__main__":
    main()
