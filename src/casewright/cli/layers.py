"""`casewright trace --with LAYER --without LAYER --targeted --full`: what joins addresses, and how the chain is read,
switched in `case.toml`.

A setting like any other: the file is sealed before anything runs under it, so that the ledger knows which layers every
figure was made with. Only the one line is rewritten; a person's comments stay.
"""

import re
import tomllib
from collections.abc import Sequence

from casewright.chain.layer_names import LAYERS, checked
from casewright.model.errors import Refused, UsageError
from casewright.model.settings import CASE_FILE, Settings
from casewright.vault.case import Case
from casewright.vault.disk import write_atomically

LINE = r"^{}\s*=\s*(?:\[[^\]]*\]|[a-z]+)[ \t]*$"
SECTION = re.compile(r"^\[chain\][ \t]*(#.*)?$", re.MULTILINE)


def switched(before: Sequence[str], more: Sequence[str], less: Sequence[str]) -> tuple[str, ...]:
    """The layers after switching. Raises UsageError for one that there is not, or that is to be on and off."""
    for layer in (*more, *less):
        if layer not in LAYERS:
            raise UsageError(f"there is no layer {layer!r}. Layers are: {', '.join(LAYERS)}.")
    if both := set(more) & set(less):
        raise UsageError(f"{min(both)} cannot be switched on and off at once.")
    return checked(tuple({*before, *more} - set(less)))


def switch(case: Case, layers: Sequence[str]) -> Case:
    """The case under these layers; the caller holds it."""
    listed = ", ".join(f'"{layer}"' for layer in layers)
    return rewrite(case, "layers", list(layers), f"[{listed}]")


def switch_mode(case: Case, targeted: bool) -> Case:
    """The case in targeted or in full mode; the caller holds it."""
    return rewrite(case, "targeted", targeted, str(targeted).lower())


def rewrite(case: Case, name: str, value: object, written: str) -> Case:
    """The case with another value of a setting of `[chain]`."""
    path = case.root / CASE_FILE
    text = path.read_text("utf-8")
    changed = with_setting(text, name, written)
    wanted = tomllib.loads(text)
    wanted.setdefault("chain", {})[name] = value
    if tomllib.loads(changed) != wanted:
        raise Refused(f"{path}: [chain] {name} could not be rewritten. Set it by hand to: {written}")
    write_atomically(path, changed.encode("utf-8"))
    case.settings = Settings.load(case.root)
    return case


def with_setting(text: str, name: str, written: str) -> str:
    """The text of `case.toml` with another value of a setting of `[chain]`."""
    line, pattern = f"{name} = {written}", re.compile(LINE.format(name), re.MULTILINE)
    section = SECTION.search(text)
    if not section:
        return f"{text.rstrip()}\n\n[chain]\n{line}\n"
    end = re.compile(r"^\[", re.MULTILINE).search(text, section.end())
    stop = end.start() if end else len(text)
    inside = text[section.end() : stop]
    changed, count = pattern.subn(line, inside, count=1)
    return text[: section.end()] + (changed if count else f"\n{line}{inside}") + text[stop:]
