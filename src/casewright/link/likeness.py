"""How alike persons are: Splink (MIT) on DuckDB over their forms, with our own weights.

Nothing here is trained, drawn by chance or asked of a clock, and each pair is weighed by itself: the same forms give
the same numbers in any order. Splink is imported with this module, which takes a moment.
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
from splink import Linker
from splink.backends.duckdb import DuckDBAPI

from casewright.link.weights import Weights, weights

TOO_COMMON = 1000
"""A value that more records share brings nobody together by itself: a default, or a firm's switchboard."""
SMALL = 10_000
"""Records that a small case is thought to be one of, when it is asked how common a value is."""
LEADS = {
    "mail": ("mail", "mail"), "mail_name": ("mail_name", "mail_name"), "phone": ("phone", "phone"),
    "phone_tail": ("phone_tail", "phone_tail"), "born": ("born", "born"), "born_turned": ("born", "born_turned"),
    "turned_born": ("born_turned", "born"), "name": ("name_key", "name_key"), "sound": ("sound_key", "sound_key"),
}  # fmt: skip
"""What brings two records together: a column of the one that is equal to a column of the other."""
LEAD = """CASE WHEN {key} NOT IN (SELECT value FROM counts WHERE key = '{key}' AND records > {most})
THEN {key} END AS lead_{key}"""
KEYS = ("mail", "mail_name", "phone", "phone_tail", "day", "born", "born_turned", "name_key", "sound_key")
THREADS, MEMORY = 2, "3GB"


def likeness(forms: pa.Table, least: float, everything: bool = False) -> tuple[pa.Table, pa.Table]:
    """Pairs of a customer with somebody else whose probability is at least this, in the order of their ids, with the
    level, the bits and the lost bits of each comparison; and the values that were too common to lead anywhere.

    `everything`: compare all pairs, whatever they have in common; only for few."""
    config = {"threads": THREADS, "enable_external_access": "false", "memory_limit": MEMORY, "temp_directory": ""}
    with duckdb.connect(":memory:", config=config) as connection:
        connection.execute((Path(__file__).parent / "sql" / "resolution.sql").read_text("utf-8"))
        connection.register("forms", forms)
        dropped = _prepare(connection)
        pairs = _predicted(connection, weights(), least, everything)
        return pairs, dropped


def _prepare(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """`known`: all forms with keys to lead by, customers first and numbered, so that no pair is met twice."""
    counts = " UNION ALL ".join(
        f"SELECT '{key}' AS key, {key} AS value, count(*) AS records FROM forms WHERE {key} IS NOT NULL "  # noqa: S608
        f"GROUP BY {key} HAVING count(*) > 2"
        for key in KEYS
    )
    connection.execute(f"CREATE TABLE counts AS {counts}")
    leads = ", ".join(LEAD.format(key=key, most=TOO_COMMON) for key in KEYS)
    number = "row_number() OVER (ORDER BY origin = 'prior', person)"
    connection.execute(f"CREATE TABLE known AS SELECT *, 'known' AS side, {number} AS number, {leads} FROM forms")  # noqa: S608
    connection.execute("CREATE TABLE asked AS SELECT * REPLACE ('asked' AS side) FROM known WHERE origin <> 'prior'")
    sql = "SELECT * FROM counts WHERE records > $most AND key <> 'day' ORDER BY key, value"
    dropped: pa.Table = connection.sql(sql, params={"most": TOO_COMMON}).to_arrow_table()
    return dropped


def _predicted(connection: duckdb.DuckDBPyConnection, model: Weights, least: float, everything: bool) -> pa.Table:
    api = DuckDBAPI(connection=connection)
    sides = [api.register(name, dataset_display_name=name) for name in ("asked", "known")]
    leads = [f"l.lead_{one} = r.lead_{other} AND l.number < r.number" for one, other in LEADS.values()]
    settings = model.for_splink(["l.number < r.number"] if everything else leads)
    linker = Linker(sides, settings, log_level=None, validate_settings=False)
    _register_common(connection, api, linker, model.commons())
    found = linker.inference.predict(threshold_match_probability=least)
    sql = f"SELECT * FROM {found.physical_name} ORDER BY person_l, person_r"  # noqa: S608  Splink's own name
    pairs: pa.Table = connection.sql(sql).to_arrow_table()
    return pairs


def _register_common(
    connection: duckdb.DuckDBPyConnection, api: DuckDBAPI, linker: Linker, commons: Mapping[str, float]
) -> None:
    """Tell Splink which values are more common than their level allows for; the two of a pair do not count."""
    for column, share in commons.items():
        connection.execute(
            f"CREATE TABLE common_{column} AS SELECT value AS {column}, rate AS tf_{column} FROM (SELECT value, "  # noqa: S608
            "(records - 2) / ((SELECT count(*) FROM forms) + $small) AS rate FROM counts WHERE key = $key) "
            "WHERE rate > $share",
            {"small": SMALL, "key": column, "share": share},
        )
        linker.table_management.register_term_frequency_lookup(api.register(f"common_{column}"), column)
