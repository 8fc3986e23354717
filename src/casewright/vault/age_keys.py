"""The key to which other agencies encrypt: an age identity beside the seal key, as `age-keygen` writes one.

Format: https://age-encryption.org/v1 (X25519 recipients); the file is Bech32 in one line, readable by its owner only.
"""

import os
from pathlib import Path

import pyrage

from casewright.model.errors import Refused


def age_identity(path: Path) -> pyrage.x25519.Identity:
    """The identity in this file; made on first use. Raises Refused when the file holds none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{pyrage.x25519.Identity.generate()}\n")
            file.flush()
            os.fsync(file.fileno())
    lines = [line for line in path.read_text("utf-8", "replace").splitlines() if line and not line.startswith("#")]
    try:
        return pyrage.x25519.Identity.from_str(lines[0])
    except (pyrage.IdentityError, IndexError) as error:
        raise Refused(f"{path} is not an age identity. Restore it, or move it away.") from error
