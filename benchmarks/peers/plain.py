"""Link two files with Splink on their plain text, on DuckDB.

Blocking rules, comparisons and training are those of Splink's demonstration on FEBRL 4, for the columns at hand; the
identifiers are compared and blocked by as the demonstration does it with its one. Links are the pairs of a probability
of at least a half, the likeliest first, one to one.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.peers.common import Link, Stages, arguments, tell, versions

IDENTIFIERS = ("phone", "email", "national_id", "driving_licence", "bank_account", "vehicle_registration")
LEAST = 0.5
SIDES = ("book_a", "book_b")  # left and right are words of SQL


def settings(columns: list[str]) -> SettingsCreator:
    """What to compare and where to look."""
    known = [name for name in IDENTIFIERS if name in columns]
    return SettingsCreator(
        unique_id_column_name="row",
        link_type="link_only",
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "family_name"),
            "l.given_name = r.family_name and l.family_name = r.given_name",
            block_on("date_of_birth"),
            block_on("town", "street"),
            block_on("house_number", "street"),
            block_on("postcode"),
            *(block_on(name) for name in known),
        ],
        comparisons=[
            cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
            cl.NameComparison("family_name").configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, invalid_dates_as_null=True),
            cl.ExactMatch("house_number").configure(term_frequency_adjustments=True),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
            *(cl.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in known),
        ],
    )


def linked(files: tuple[Path, Path], stages: Stages) -> list[Link]:
    """Link two files."""
    with stages.stage("read"):
        connection = duckdb.connect()
        tables = [_table(connection, path) for path in files]
        api = DuckDBAPI(connection)
        sides = [api.register(table, dataset_display_name=name) for name, table in zip(SIDES, tables, strict=True)]
        linker = Linker(sides, settings(tables[0].column_names))
    with stages.stage("train"):
        whole = block_on("given_name", "family_name", "date_of_birth")
        linker.training.estimate_probability_two_random_records_match([whole], recall=0.6)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
        for column in ("date_of_birth", "postcode"):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(column), estimate_without_term_frequencies=True
            )
    with stages.stage("predict"):
        found = linker.inference.predict(threshold_match_probability=LEAST)
        pairs = found.as_pyarrow_table()
    with stages.stage("solve"):
        return _one_to_one(pairs)


def _table(connection: duckdb.DuckDBPyConnection, path: Path) -> Any:
    """The rows of a file with their numbers; what is empty is not known."""
    columns = connection.sql(f"from read_csv('{path}', all_varchar=true) limit 0").columns
    wanted = ", ".join(f"nullif({name}, '') as {name}" for name in columns)
    # One thread reads, so that rows are numbered as they stand.
    connection.execute("set threads to 1")
    table = connection.sql(
        f"select (row_number() over () - 1)::integer as row, {wanted} from read_csv('{path}', all_varchar=true)"
    ).to_arrow_table()
    connection.execute("reset threads")
    return table


def _one_to_one(pairs: Any) -> list[Link]:
    """The likeliest pairs first, each record in one at most."""
    columns = ("match_weight", "match_probability", "source_dataset_l", "row_l", "row_r")
    weights, chances, sides, left, right = (pairs.column(name).to_pylist() for name in columns)
    ours: set[int] = set()
    theirs: set[int] = set()
    links = []
    for weight, chance, side, row, other in sorted(
        zip(weights, chances, sides, left, right, strict=True), reverse=True
    ):
        one, another = (row, other) if side == SIDES[0] else (other, row)
        if chance >= LEAST and one not in ours and another not in theirs:
            ours.add(one)
            theirs.add(another)
            links.append((one, another, weight))
    return links


def main() -> None:
    """Link, and tell."""
    options = arguments(__doc__).parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    stages = Stages()
    links = linked((options.left, options.right), stages)
    tell(stages, links, options.links, threshold=LEAST, versions=versions("splink", "duckdb"))


if __name__ == "__main__":
    main()
