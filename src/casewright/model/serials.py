"""Serial numbers of devices: whether one is a number at all."""


def tells(serial: str | None) -> bool:
    """Whether a serial number is one: some devices write zeros, or words."""
    letters = "".join(c for c in serial or "" if c.isalnum())
    return len(letters) > 3 and any(c.isdigit() for c in letters) and len(set(letters) - {"0"}) > 1
