"""Who is at the desk, and what they may do."""

from dataclasses import dataclass

from casewright.model.errors import CasewrightError

MAY = {"reader": frozenset[str](), "reviewer": frozenset({"judge"}), "lead": frozenset({"judge", "seal"})}
"""What each role may do besides reading: `judge` people and media, `seal` packages."""
WORDS = {"judge": "decide", "seal": "seal packages"}


class NotAllowed(CasewrightError):  # noqa: N818  it reads as a word
    """The visitor's role does not reach that far."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who was let in. `name` stands in the ledger beside what they decide."""

    name: str
    role: str

    def may(self, act: str) -> bool:
        return act in MAY[self.role]

    def must(self, act: str) -> None:
        """Raises NotAllowed when their role does not reach that far."""
        if not self.may(act):
            raise NotAllowed(f"You are here as {self.role}, and a {self.role} may not {WORDS[act]}.")
