"""`casewright trace --with LAYER --without LAYER`: what joins addresses, switched in `case.toml`.

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
from casewright.vault.store import write_atomically

LINE = re.compile(r"^layers\s*=\s*\[[^\]]*\][ \t]*$", re.MULTILINE)
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
    path = case.root / CASE_FILE
    text = path.read_text("utf-8")
    changed = with_layers(text, layers)
    wanted = tomllib.loads(text)
    wanted.setdefault("chain", {})["layers"] = list(layers)
    if tomllib.loads(changed) != wanted:
        raise Refused(f"{path}: [chain] layers could not be rewritten. Set it by hand to: {list(layers)}")
    write_atomically(path, changed.encode("utf-8"))
    case.settings = Settings.load(case.root)
    return case


def with_layers(text: str, layers: Sequence[str]) -> str:
    """The text of `case.toml` with another list of layers."""
    listed = ", ".join(f'"{layer}"' for layer in layers)
    line = f"layers = [{listed}]"
    section = SECTION.search(text)
    if not section:
        return f"{text.rstrip()}\n\n[chain]\n{line}\n"
    end = re.compile(r"^\[", re.MULTILINE).search(text, section.end())
    stop = end.start() if end else len(text)
    inside = text[section.end() : stop]
    changed, count = LINE.subn(line, inside, count=1)
    return text[: section.end()] + (changed if count else f"\n{line}{inside}") + text[stop:]
