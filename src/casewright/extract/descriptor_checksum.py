"""The checksum of an output descriptor: eight letters after a `#` (BIP 380)."""

LETTERS = ("0123456789()[],'/*abcdefgh@:$%{}IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~"
           "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ ")  # fmt: skip
CHECK_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0xF5DEE51989, 0xA9FDCA3312, 0x1BAB10E32D, 0x3706B1677A, 0x644D626FFD)


def checksum(body: str) -> str | None:
    """The letters that belong after this descriptor; None when it holds one that no descriptor may."""
    values = _values(body)
    if values is None:
        return None
    state = 1
    for value in [*values, *[0] * 8]:
        top = state >> 35
        state = (state & 0x7FFFFFFFF) << 5 ^ value
        for i, generator in enumerate(GENERATOR):
            state ^= generator if top >> i & 1 else 0
    state ^= 1
    return "".join(CHECK_LETTERS[state >> 5 * (7 - i) & 31] for i in range(8))


def _values(body: str) -> list[int] | None:
    """Each letter by its place in its group of 32; after each three of them the numbers of their groups."""
    values, groups = list[int](), 0
    for place, letter in enumerate(body, start=1):
        number = LETTERS.find(letter)
        if number < 0:
            return None
        values.append(number & 31)
        groups = groups * 3 + (number >> 5)
        if place % 3 == 0 or place == len(body):
            values.append(groups)
            groups = 0
    return values
