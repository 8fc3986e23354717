"""How much of each schema is proposed as it should be: uv run python -m tests.extract.schemas"""

import io
import tomllib

from casewright.extract.columns import sample
from casewright.extract.propose import propose
from casewright.extract.readers.mysql import read_mysql
from tests.extract.schemas import NAMES, score, site


def main() -> None:
    print("| schema | tables | columns | places of a mapping | right | wrong | missed |\n|---|---|---|---|---|---|---|")
    totals, all_places = [0, 0, 0], 0
    told = list[str]()
    for name in NAMES:
        made = site(name)
        found = score(tomllib.loads(propose(sample(read_mysql(io.BytesIO(made.dump))))), made.truth)
        numbers = found.right, len(found.wrong), len(found.missed)
        totals = [sum(pair) for pair in zip(totals, numbers, strict=True)]
        places = sum(map(len, made.truth.values()))
        all_places += places
        columns = sum(len(columns) for _, columns in made.tables.values())
        print(f"| {name} | {len(made.tables)} | {columns} | {places} | {' | '.join(map(str, numbers))} |")
        told += [f"{name}: wrong {w}" for w in found.wrong] + [f"{name}: missed {m}" for m in found.missed]
    print(f"| all | | | {all_places} | {' | '.join(map(str, totals))} |\n")
    print("\n".join(told))


if __name__ == "__main__":
    main()
