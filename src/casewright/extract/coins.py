"""Addresses of Ethereum and Monero: whether their checksums hold."""

from Crypto.Hash import keccak

from casewright.model.bitcoin import BASE58_DIGITS

MONERO = {18: 69, 19: 77, 42: 69, 53: 69, 54: 77, 63: 69, 24: 69, 25: 77, 36: 69}
"""Bytes of an address by its network byte: ordinary, with a payment id, of a subaddress; on the main, the test and the
stage network."""
BLOCK_LETTERS = 11
LETTERS_OF = {2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}


def keccak256(raw: bytes) -> bytes:
    """Keccak as it was submitted, which is not SHA-3 as it became."""
    return bytes(keccak.new(digest_bits=256, data=raw).digest())


def is_ethereum(text: str) -> bool:
    """Whether a text of `0x` and 40 hex digits is an address: in mixed case its case is a checksum (EIP 55)."""
    digits = text[2:]
    if digits in (digits.lower(), digits.upper()):
        return True
    check = keccak256(digits.lower().encode()).hex()
    return all(
        letter == (letter.upper() if int(nibble, 16) >= 8 else letter.lower())
        for letter, nibble in zip(digits, check, strict=False)
    )


def is_monero(text: str) -> bool:
    """Whether a text of base58 letters is an address: blocks of 11 letters stand for 8 bytes each, the last four bytes
    are a checksum (CryptoNote standard 007, and the Monero project's documentation)."""
    raw, digits = b"", text.encode("ascii").translate(BASE58_DIGITS)
    for at in range(0, len(digits), BLOCK_LETTERS):
        block = digits[at : at + BLOCK_LETTERS]
        size, number = LETTERS_OF.get(len(block)), 0
        for digit in block:
            number = number * 58 + digit
        if size is None or number >> 8 * size:
            return False
        raw += number.to_bytes(size, "big")
    return MONERO.get(raw[0]) == len(raw) and keccak256(raw[:-4])[:4] == raw[-4:]
