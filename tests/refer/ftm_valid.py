"""Run by tests in an environment that has followthemoney: prints what it refuses of a file of entities, and counts."""

import json
import sys
from collections import Counter
from typing import Any

from followthemoney import model  # type: ignore[import-not-found,unused-ignore]

found: Counter[str] = Counter()
refused: list[list[str]] = []
entities = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]  # noqa: SIM115, PTH123
schemata = {entity["id"]: model.get(entity["schema"]) for entity in entities}


def fits(prop: Any, value: str) -> bool:
    """Whether the value is of the property's type, and leads to an entity that may stand there."""
    if prop is None or prop.type.clean(value) is None:
        return False
    return prop.type.name != "entity" or (value in schemata and schemata[value].is_a(prop.range))


for entity in entities:
    found[entity["schema"]] += 1
    schema = model.get(entity["schema"])
    told = [(name, value) for name, values in entity["properties"].items() for value in values]
    refused += [[entity["id"], name, value] for name, value in told if not fits(schema.get(name), value)]
    refused += [[entity["id"], name, "required"] for name in schema.required if name not in entity["properties"]]
print(json.dumps({"refused": refused[:20], "found": found}))  # noqa: T201
