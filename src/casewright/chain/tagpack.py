"""GraphSense TagPacks and ActorPacks: YAML in, mappings of plain text out.

Format: https://github.com/graphsense/graphsense-tagpacks/wiki/GraphSense-TagPacks. What stands at the head of a pack
holds for each of its tags, unless the tag says otherwise. Every scalar stays the text that was written: YAML 1.1 would
make `NO` (Norway) a truth value, `2019-03-15` a date, and an unquoted `0x…` address a number.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from casewright.chain.tag_list import Unusable
from casewright.model.errors import Refused

LEVELS: Mapping[str, int] = {
    "override": 100, "ownership": 100, "manual_transaction": 90, "service_api": 70, "authority_data": 60,
    "trusted_provider": 50, "service_data": 50, "forensic": 50, "untrusted_transaction": 40, "web_crawl": 20,
    "heuristic": 10, "unknown": 5,
}  # fmt: skip
"""Level of each confidence id. Source: graphsense-tagpack-tool, src/tagpack/db/confidence.csv."""
MOST_BYTES, DEEPEST = 64 << 20, 40

Include = Callable[[str], bytes | None]


class Included(str):
    """The path that an `!include` names."""

    __slots__ = ()


_SafeBase: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class TextLoader(_SafeBase):  # type: ignore[misc]
    """Makes text, lists and mappings, and nothing else whatever a tag in the file asks for."""


TextLoader.add_constructor("!include", lambda loader, node: Included(loader.construct_scalar(node)))


def read_pack(raw: bytes, include: Include = lambda path: None) -> dict[str, Any]:
    """The pack's mapping, with the header that it includes put in. `include` gives a named file's bytes, or None.

    Raises Refused, saying why, when this is no TagPack or ActorPack that can be read.
    """
    pack = _mapping(raw)
    for key, value in list(pack.items()):
        if isinstance(value, Included):
            found = include(value)
            if found is None:
                raise Refused(f"includes {str(value)!r}, which is not in the exhibit; seal the folder with both files")
            pack[key] = _mapping(found)
    header = pack.pop("header", {})
    pack = {**header, **pack} if isinstance(header, Mapping) else pack
    if not isinstance(pack.get("tags"), list) and not isinstance(pack.get("actors"), list):
        raise Refused("has no list of tags and none of actors: it is no TagPack and no ActorPack")
    return pack


def _mapping(raw: bytes) -> dict[str, Any]:
    if len(raw) > MOST_BYTES:
        raise Refused(f"is larger than {MOST_BYTES >> 20} MiB; split it")
    try:
        text = raw.decode("utf-8-sig")
        _check_depth(text)
        value = yaml.load(text, Loader=TextLoader)  # noqa: S506  makes text, lists and mappings only
    except UnicodeDecodeError as problem:
        raise Refused(f"is not UTF-8: {problem}") from problem
    except yaml.YAMLError as problem:
        raise Refused("is broken YAML: " + " ".join(str(problem).split())) from problem
    except RecursionError as problem:
        raise Refused("is nested too deep") from problem
    if not isinstance(value, dict):
        raise Refused("is YAML, but no mapping: it is no TagPack and no ActorPack")
    return {str(k): v for k, v in value.items()}


def _check_depth(text: str) -> None:
    """Refuse what is nested deeper than any pack before it is built; aliases are never followed later on."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeBase):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise Refused(f"is nested more than {DEEPEST} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def tags_of(pack: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any] | str | None]]:
    """Number (from 1) and fields of each tag, the header's included; None for an entry that is no mapping, and what a
    list says of a row that it cannot use."""
    header = {k: v for k, v in pack.items() if k not in ("tags", "actors")}
    tags = pack.get("tags")
    for number, tag in enumerate(tags if isinstance(tags, list) else (), start=1):
        yield number, {**header, **tag} if isinstance(tag, Mapping) else tag if isinstance(tag, Unusable) else None


def actors_of(pack: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Id and fields of each actor."""
    actors = pack.get("actors")
    for actor in actors if isinstance(actors, list) else ():
        if isinstance(actor, Mapping) and (name := text_of(actor, "id")):
            yield name, actor


def text_of(fields: Mapping[Any, Any], name: str) -> str | None:
    """A field's text; None when it is missing, empty, or not plain text."""
    value = fields.get(name)
    return value.strip() or None if isinstance(value, str) else None


def context_of(fields: Mapping[Any, Any]) -> Mapping[str, Any]:
    """The `context` of a tag or an actor: a mapping, or JSON in text."""
    value = fields.get("context")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def countries_of(fields: Mapping[Any, Any]) -> str | None:
    """The countries that an actor or a tag's context names, all of them and in its order: `MT, CA`."""
    value = fields.get("jurisdictions", fields.get("jurisdiction"))
    named = value if isinstance(value, list) else [value]
    return ", ".join(dict.fromkeys(c.strip().upper() for c in named if isinstance(c, str) and c.strip())) or None
