"""The key to which other agencies encrypt: an age identity beside the seal key, as `age-keygen` writes one.

Format: https://age-encryption.org/v1 (X25519 recipients); the file is Bech32 in one line, readable by its owner only.
"""

from pathlib import Path

import pyrage

from casewright.model.errors import Refused
from casewright.vault.disk import write_secret


def age_identity(path: Path) -> pyrage.x25519.Identity:
    """The identity in this file; made on first use. Raises Refused when the file holds none."""
    if not path.exists():
        write_secret(path, f"{pyrage.x25519.Identity.generate()}\n".encode("ascii"))
    lines = [line for line in path.read_text("utf-8", "replace").splitlines() if line and not line.startswith("#")]
    try:
        return pyrage.x25519.Identity.from_str(lines[0])
    except (pyrage.IdentityError, IndexError) as error:
        raise Refused(f"{path} is not an age identity. Restore it, or move it away.") from error
