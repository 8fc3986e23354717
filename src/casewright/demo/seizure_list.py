"""The hash list of the demo, as VICS 2.0 JSON: scans that invented museums reported, among strangers.

Category numbers and words are of the museum world and mean nothing elsewhere.
"""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from PIL import Image

from casewright.demo.media_video import each_second
from casewright.kernels.pdq_fast import pdq_of_image

CONTEXT = "https://hashes.example.org/DataModels/2.0.xml/MUSEUM/$metadata#Media"
STRANGERS = 300
CATEGORIES = {11: "Scan reported stolen", 12: "Scan of unclear title", 13: "Catalogue picture"}
Prints = list[tuple[str, int]]
"""PDQ and quality: one for a picture, one a second for a film."""


def prints_of(content: bytes, film: bool) -> Prints:
    if film:
        return [pdq_of_image(image) for image in each_second(content)]
    with Image.open(io.BytesIO(content)) as image:
        return [pdq_of_image(image)]


def build_list(originals: Mapping[str, bytes]) -> tuple[bytes, Mapping[str, Prints]]:
    """The list, and the prints of each original that it names."""
    prints = {name: prints_of(content, name.startswith("film")) for name, content in originals.items()}
    entries = [_entry(number, name, originals[name], prints[name]) for number, name in enumerate(originals, 1)]
    entries += [_stranger(number) for number in range(1, STRANGERS + 1)]
    Random(1852).shuffle(entries)  # noqa: S311 (an order, not a secret)
    for number, entry in enumerate(entries, 1):
        entry["MediaID"] = number
    text = json.dumps({"@odata.context": CONTEXT, "value": entries}, indent=1, ensure_ascii=False)
    return text.encode() + b"\n", prints


def _entry(number: int, name: str, content: bytes, prints: Prints) -> dict[str, Any]:
    film = name.startswith("film")
    other = [{"HashName": "SHA256", "HashValue": hashlib.sha256(content).hexdigest()}] if number % 3 == 0 else []
    if film:
        words = " ".join(f"{hash}:{quality}" for hash, quality in prints)
        other.append({"HashName": "PDQ-frames", "HashValue": words})
    else:
        other.append({"HashName": "PDQ", "HashValue": prints[0][0]})
    mime = "video/mp4" if film else "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest().upper()
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest().upper()
    return _media((11, 12)[number % 5 == 0], md5, sha1, other, len(content), mime)


def _stranger(number: int) -> dict[str, Any]:
    """An entry for something that is not on the server: a valid PDQ has exactly 128 ones."""
    rng = Random(f"stranger {number}")  # noqa: S311 (filler, not a secret)
    ones = sum(1 << bit for bit in rng.sample(range(256), 128))
    md5 = "" if number % 50 == 0 else f"{rng.getrandbits(128):032X}"
    other = [{"HashName": "PDQ", "HashValue": f"{ones:064x}"}]
    return _media(
        (11, 12, 13)[number % 3],
        md5,
        f"{rng.getrandbits(160):040X}",
        other,
        rng.randrange(9_000, 900_000),
        "image/jpeg",
    )


def _media(
    category: int, md5: str, sha1: str, other: Sequence[Mapping[str, str]], size: int, mime: str
) -> dict[str, Any]:
    return {
        "MediaID": 0,
        "Category": category,
        "MD5": md5,
        "SHA1": sha1,
        "AlternativeHashes": list(other),
        "MediaSize": size,
        "MimeType": mime,
        "IsPrecategorized": "false",
        "IsDistributed": "true" if category == 11 else "false",
        "Series": "stolen scan, Museum of Invented Antiquities" if category == 11 else None,
        "Tags": CATEGORIES[category],
        "Comments": "Harmless demonstration entry",
    }
