"""Link two files with Splink on their plain text, on DuckDB; or, given one file twice, find its duplicates.

Blocking rules, comparisons and training are those of Splink's demonstrations: on FEBRL 4 where there are addresses, on
50,000 historical persons where there are none, for the columns at hand; the identifiers are compared and blocked by as
the first does it with its one. `--blocking wide` looks by the rules of both, and by more. Links of two files are the
pairs of a probability of at least a half, the likeliest first, one to one; `--lowest` gives all pairs instead.
"""

from __future__ import annotations

import argparse
import logging
from typing import Any, Literal

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.peers.common import Link, Stages, arguments, tell, versions

IDENTIFIERS = ("phone", "email", "national_id", "driving_licence", "bank_account", "vehicle_registration")
LEAST = 0.5
SIDES = ("book_a", "book_b")  # left and right are words of SQL
SWAPPED = "l.given_name = r.family_name and l.family_name = r.given_name"
FEBRL4 = (
    ("given_name", "family_name"), ("date_of_birth",), ("town", "street"), ("house_number", "street"), ("postcode",),
)  # fmt: skip
HISTORICAL = (
    ("substr(given_name, 1, 3)", "substr(family_name, 1, 4)"), ("family_name", "date_of_birth"),
    ("given_name", "date_of_birth"), ("postcode", "given_name"), ("postcode", "family_name"),
    ("date_of_birth", "town"), ("substr(postcode, 1, 3)", "date_of_birth"),
    ("substr(postcode, 1, 3)", "given_name"), ("substr(postcode, 1, 3)", "family_name"),
    ("substr(given_name, 1, 2)", "substr(family_name, 1, 2)", "substr(date_of_birth, 1, 4)"),
)  # fmt: skip
WIDE = (
    *FEBRL4, *HISTORICAL, ("family_name", "substr(date_of_birth, 1, 4)"),
    ("family_name", "substr(date_of_birth, 6, 5)"), ("given_name", "substr(date_of_birth, 6, 5)"),
    ("town", "family_name"), ("town", "given_name"),
)  # fmt: skip
"""Blocking rules: columns, or the beginnings of columns, that must agree."""


def settings(columns: list[str], link_type: Literal["link_only", "dedupe_only"], *, wide: bool) -> SettingsCreator:
    """What to compare and where to look."""
    addresses = "street" in columns
    known = [name for name in IDENTIFIERS if name in columns]
    rules = WIDE if wide else FEBRL4 if addresses else HISTORICAL
    return SettingsCreator(
        unique_id_column_name="row",
        link_type=link_type,
        blocking_rules_to_generate_predictions=[
            *(block_on(*rule) for rule in rules if all(_column(part) in columns for part in rule)),
            *([SWAPPED] if wide or addresses else []),
            *(block_on(name) for name in known),
        ],
        comparisons=[
            *(_addressed() if addresses else _historical()),
            *(cl.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in known),
        ],
    )


def _column(part: str) -> str:
    """The column of a part of a rule."""
    return part.removeprefix("substr(").split(",")[0]


def _addressed() -> list[Any]:
    return [
        cl.NameComparison("given_name").configure(term_frequency_adjustments=True),
        cl.NameComparison("family_name").configure(term_frequency_adjustments=True),
        cl.DateOfBirthComparison("date_of_birth", input_is_string=True, invalid_dates_as_null=True),
        cl.ExactMatch("house_number").configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
    ]


def _historical() -> list[Any]:
    return [
        cl.ForenameSurnameComparison("given_name", "family_name", forename_surname_concat_col_name="both_names"),
        cl.DateOfBirthComparison("date_of_birth", input_is_string=True, invalid_dates_as_null=True),
        cl.PostcodeComparison("postcode"),
        cl.ExactMatch("town").configure(term_frequency_adjustments=True),
    ]


def linked(options: argparse.Namespace, stages: Stages) -> list[Link]:
    """Link two files, or one within itself."""
    files = [options.left] if options.left == options.right else [options.left, options.right]
    with stages.stage("read"):
        connection = duckdb.connect()
        tables = [_table(connection, path) for path in files]
        api = DuckDBAPI(connection)
        sides = [api.register(table, dataset_display_name=name) for name, table in zip(SIDES, tables, strict=False)]
        link_type: Literal["link_only", "dedupe_only"] = "link_only" if len(files) == 2 else "dedupe_only"
        linker = Linker(sides, settings(tables[0].column_names, link_type, wide=options.blocking == "wide"))
    with stages.stage("train"):
        whole = block_on("given_name", "family_name", "date_of_birth")
        linker.training.estimate_probability_two_random_records_match([whole], recall=0.6)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
        others = ("postcode",) if "street" in tables[0].column_names else ("given_name", "family_name")
        for columns in (("date_of_birth",), others):
            linker.training.estimate_parameters_using_expectation_maximisation(
                block_on(*columns), estimate_without_term_frequencies=True
            )
    with stages.stage("predict"):
        least = LEAST if options.lowest is None else options.lowest
        pairs = linker.inference.predict(threshold_match_probability=least).as_pyarrow_table()
    with stages.stage("solve"):
        rows = _rows(pairs, linking=len(files) == 2)
        return rows if options.lowest is not None else _one_to_one(rows)


def _table(connection: duckdb.DuckDBPyConnection, path: Any) -> Any:
    """The rows of a file with their numbers; what is empty is not known."""
    columns = connection.sql(f"from read_csv('{path}', all_varchar=true) limit 0").columns
    wanted = ", ".join(f"nullif({name}, '') as {name}" for name in columns)
    # One thread reads, so that rows are numbered as they stand.
    connection.execute("set threads to 1")
    table = connection.sql(
        f"select (row_number() over () - 1)::integer as row, {wanted},"
        f" nullif(given_name, '') || ' ' || nullif(family_name, '') as both_names"
        f" from read_csv('{path}', all_varchar=true)"
    ).to_arrow_table()
    connection.execute("reset threads")
    return table


def _rows(pairs: Any, *, linking: bool) -> list[Link]:
    """Pairs with their weights, the left file's row first."""
    columns = [pairs.column(name).to_pylist() for name in ("row_l", "row_r", "match_weight")]
    sides = pairs.column("source_dataset_l").to_pylist() if linking else [SIDES[0]] * len(pairs)
    return [
        (row, other, weight) if side == SIDES[0] else (other, row, weight)
        for side, row, other, weight in zip(sides, *columns, strict=True)
    ]


def _one_to_one(pairs: list[Link]) -> list[Link]:
    """The likeliest pairs first, each record in one at most."""
    ours: set[int] = set()
    theirs: set[int] = set()
    links = []
    for one, another, weight in sorted(pairs, key=lambda pair: (-pair[2], pair)):
        if one not in ours and another not in theirs:
            ours.add(one)
            theirs.add(another)
            links.append((one, another, weight))
    return links


def main() -> None:
    """Link, and tell."""
    parser = arguments(__doc__)
    parser.add_argument("--blocking", choices=("demo", "wide"), default="demo")
    parser.add_argument("--lowest", type=float, help="tell every pair of at least this probability, not one to one")
    options = parser.parse_args()
    logging.getLogger("splink").setLevel(logging.ERROR)
    stages = Stages()
    links = linked(options, stages)
    tell(stages, links, options.links, threshold=LEAST, versions=versions("splink", "duckdb"))


if __name__ == "__main__":
    main()
