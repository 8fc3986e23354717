"""What CREATE TABLE is made of in every dialect: words, names in quotes, lists in parentheses, types of columns."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """A piece of a statement. `kind`: word, quoted (a name), text, number, sign, or what else a dialect has."""

    kind: str
    text: str

    @property
    def word(self) -> str:
        """The word in lower case, or nothing when it is quoted or none."""
        return self.text.lower() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """A name without its quotes."""
        if self.kind in ("quoted", "text"):
            return self.text[1:-1].replace(self.text[-1] * 2, self.text[-1])
        return self.text


def parts_of(tokens: list[Token], at: int) -> tuple[list[list[Token]], int]:
    """What stands between the commas of a list whose parenthesis opened before `at`, and the place after it."""
    parts, depth = [list[Token]()], 0
    for place in range(at, len(tokens)):
        sign = tokens[place].text if tokens[place].kind == "sign" else ""
        depth += (sign in ("(", "[")) - (sign in (")", "]"))
        if depth < 0:
            return parts, place + 1
        if sign == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(tokens[place])
    return parts, len(tokens)


def listed(tokens: list[Token], at: int) -> list[str]:
    """The names in the parentheses that open at `at`; none where none open there."""
    if tokens[at : at + 1] != [Token("sign", "(")]:
        return []
    return [part[0].name for part in parts_of(tokens, at + 1)[0] if part]


def type_end(part: list[Token], after: Collection[str]) -> int:
    """Where the type of a column ends; `after` are the words that may follow it."""
    return next((at for at in range(1, len(part)) if part[at].word in after), len(part))


def written(tokens: list[Token]) -> str:
    """A type as it is declared."""
    text = ""
    for token in tokens:
        text += " " * bool(text and token.kind in ("word", "quoted") and text[-1].isalnum()) + token.name
    return text
