"""Who may come in from other machines: names, roles, and passwords of which only salted scrypt hashes are kept.

The file lies beside the seal key, for its owner only. Hashing is as RFC 7914 has it, with N = 2^15, r = 8, p = 1, so
that one guess costs 32 MB and a tenth of a second.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from casewright.model.errors import Missing, Refused, UsageError
from casewright.review.visitor import MAY, Visitor
from casewright.vault.disk import write_atomically

FILE = "reviewers.json"
SHORTEST, LONGEST = 12, 200
COST, BLOCK, LANES = 1 << 15, 8, 1
MEMORY = 64 << 20


@dataclass(frozen=True)
class User:
    """One of them; `salt` and `hashed` are hex."""

    name: str
    role: str
    salt: str
    hashed: str

    @property
    def visitor(self) -> Visitor:
        return Visitor(self.name, self.role)


NOBODY = User("", "reader", secrets.token_hex(16), "00" * 32)
"""For names that are none: a wrong name takes as long as a wrong password."""


class Users:
    """The file of users; what it says now counts, also for who is already in."""

    def __init__(self, file: Path) -> None:
        self._file, self._one_guess = file, threading.Lock()

    def known(self) -> Mapping[str, User]:
        try:
            listed = json.loads(self._file.read_bytes())["users"]
            return {user["name"]: User(**user) for user in listed}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"{self._file} is not a list of users ({error}). Restore it, or remove it.") from error

    def add(self, name: str, role: str, password: str) -> None:
        """Let somebody in from now on, or give them another password or role. Raises UsageError."""
        if role not in MAY:
            raise UsageError(f"there is no role {role!r}. Choose one of {', '.join(MAY)}.")
        if not name.strip() or not name.isprintable() or len(name) > LONGEST:
            raise UsageError("a user needs a name, in letters that can be printed.")
        if not SHORTEST <= len(password) <= LONGEST:
            raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters.")
        salt = secrets.token_hex(16)
        user = User(name, role, salt, _hashed(password, salt))
        self._keep({**self.known(), name: user})

    def remove(self, name: str) -> None:
        """Let somebody in no more; they are out at their next step. Raises Missing when there is no such user."""
        users = dict(self.known())
        if users.pop(name, None) is None:
            raise Missing(f"there is no user {name!r}.")
        self._keep(users)

    def check(self, name: str, password: str) -> User | None:
        """The user, if that is their password; one guess at a time."""
        user = self.known().get(name, NOBODY)
        with self._one_guess:
            right = hmac.compare_digest(_hashed(password[: LONGEST + 1], user.salt), user.hashed)
        return user if right and user is not NOBODY else None

    def still(self, user: User) -> bool:
        """Whether they may still come in, in the same role and by the same password."""
        return self.known().get(user.name) == user

    def _keep(self, users: Mapping[str, User]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        listed = {"format": 1, "users": [asdict(user) for _, user in sorted(users.items())]}
        write_atomically(self._file, json.dumps(listed, indent=1, ensure_ascii=False).encode() + b"\n")
        self._file.chmod(0o600)


def _hashed(password: str, salt: str) -> str:
    return hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=bytes.fromhex(salt), n=COST, r=BLOCK,
                          p=LANES, maxmem=MEMORY, dklen=32).hex()  # fmt: skip
