"""An agency's card: its name and the two public keys by which its files are checked and encrypted to it.

A card is handed over in person, or read out over a line that is known: whoever can put in another card can put in
another agency.
"""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

import minisign
import pyrage
import tomli_w

from casewright.model.errors import Missing, Refused
from casewright.vault.age_keys import age_identity
from casewright.vault.case import Case


@dataclass(frozen=True)
class Card:
    """`sign`: minisign public key (base64); `age`: age recipient (age1...)."""

    agency: str
    sign: str
    age: str

    def dump(self) -> str:
        return tomli_w.dumps(asdict(self))


def card_of(case: Case) -> Card:
    """The card of the agency that leads this case."""
    identity = age_identity(case.age_key_path())
    return Card(case.settings.case.agency, case.settings.seal.public_key, str(identity.to_public()))


def read_card(path: Path) -> Card:
    """Raises Missing without the file, Refused when it is no card."""
    try:
        card = Card(**tomllib.loads(path.read_text("utf-8")))
        if not all(isinstance(value, str) and value.strip() for value in asdict(card).values()):
            raise ValueError("agency, sign and age must be texts")
        minisign.PublicKey.from_base64(card.sign)
        pyrage.x25519.Recipient.from_str(card.age)
    except FileNotFoundError as error:
        raise Missing(
            f"{path} is not there. A peer's card comes from: casewright deconflict card CASE --out"
        ) from error
    except (ValueError, TypeError, minisign.Error, pyrage.RecipientError) as error:
        raise Refused(f"{path} is no agency's card: {error}.") from error
    return card
