"""What every VICS 2.0 document of ours has: those in packages, and those that are exported from a case.

The specification is shared under agreement only; the names are those that open readers and writers use (IPED, GLEAPP).
"""

import uuid
from typing import Any

NAMESPACE = uuid.UUID("5f0d7d52-3f0c-5a5e-9f3c-0d7a4c1d7e10")
"""What our UUIDs of version 5 are made in."""
DIALECT = "http://github.com/ICMEC/ProjectVic/DataModels/2.0.xml/US/"
"""Where no category is said that belongs to another one."""
CASES = "$metadata#Cases"


def dialect_of(context: str) -> str:
    """The dialect that a context names, whatever the document holds: what stands before `$metadata#`."""
    return context.partition("$metadata#")[0]


def case_fields(name: str) -> dict[str, Any]:
    """A case by its name: the same in all of its documents."""
    return {
        "CaseID": str(uuid.uuid5(NAMESPACE, name)), "CaseNumber": name, "SourceApplicationName": "Casewright",
    }  # fmt: skip


def medium_fields(
    number: int, sha256: str, sha1: str, md5: str, size: int, mime: str, path: str, pdq: str | None
) -> dict[str, Any]:
    """A medium of which nobody has said a category."""
    others = [{"HashName": "SHA256", "HashValue": sha256.upper()}]
    others += [{"HashName": "PDQ", "HashValue": pdq}] if pdq else []
    return {
        "MediaID": number, "Category": None, "MD5": md5.upper(), "SHA1": sha1.upper(), "MediaSize": size,
        "MimeType": mime, "RelativeFilePath": path.replace("/", "\\"), "AlternativeHashes": others,
    }  # fmt: skip
