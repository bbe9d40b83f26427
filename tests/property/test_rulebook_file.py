"""Rulebook files, whatever is in them: a rulebook, or an error that names the entry."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from repository.domain.rulebook import Rulebook
from repository.services import rulebook_file
from repository.services.rulebook_diff import changed_entries, flat
from repository.services.rulebook_file import RulebookFileError, read, read_stored
from tests.support.rulebooks import changed_text

TEXT = rulebook_file.default_text()
RAW = tomllib.loads(TEXT)
PATHS = [path for path, _ in flat(RAW) if path != "version"]
MARK = "Zq7x"

scalars = (
    st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.text("abcdefghijklmnopqrstuvwxyz_ÄZ09'\"\\\n", max_size=12).map(lambda text: MARK + text)
    | st.sampled_from(["motor", "claim", "audit", "strong"])
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.just("days"), inner))


def _put(raw: dict[str, Any], path: str, value: object) -> None:
    *tables, name = path.split(".")
    for table in tables:
        raw = raw[table]
    raw[name] = value


def _file(raw: dict[str, Any]) -> str:
    return changed_text("", {"": raw})


def _tried(text: str) -> Rulebook | RulebookFileError:
    """What reading gives: a rulebook, or the one error that reading may raise, with something said."""
    try:
        return read(text)
    except RulebookFileError as error:
        if not error.errors or not all(entry and expected for entry, expected in error.errors):
            raise AssertionError("an error that says nothing") from error
        return error


def _beside(changed: Iterable[str]) -> set[str]:
    """Requests are kept for longer than the days to answer them in, which two other tables make."""
    days = any(path == "standing.request_working_days" or path.startswith("calendar") for path in changed)
    return {"exchange"} if days else set()


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(PATHS), values, min_size=1, max_size=3))
def test_other_entries_are_read_or_named(changes: dict[str, object]) -> None:
    """Whatever an entry is changed to, the file is a rulebook, or each error names an entry that was changed.

    A rule over several entries may name their table, or an entry beside the one changed. No error repeats a text that
    stood in the file.
    """
    raw = deepcopy(RAW)
    for path, value in changes.items():
        _put(raw, path, value)
    tried = _tried(_file(raw))
    if isinstance(tried, Rulebook):
        assert {each.entry for each in changed_entries(RAW, raw)} <= set(changes)
        return
    tables = {path.partition(".")[0] for path in changes}
    for entry, _ in tried.errors:
        assert entry.partition(".")[0] in tables | _beside(changes)
    assert MARK not in str(tried)


@settings(max_examples=200)
@given(st.sampled_from([path for path in PATHS if not path.startswith("tiers.")]), scalars | st.lists(scalars))
def test_an_error_names_the_very_entry(path: str, value: object) -> None:
    """With one entry changed, that entry is named, or its table where it breaks an order, and no other."""
    raw = deepcopy(RAW)
    _put(raw, path, value)
    tried = _tried(_file(raw))
    if isinstance(tried, RulebookFileError):
        named = {entry.partition("[")[0] for entry, _ in tried.errors}
        assert named <= {path, path.rpartition(".")[0], "disclosure.age_bands"} | _beside([path])


@given(st.sampled_from(PATHS))
def test_each_entry_is_needed(path: str) -> None:
    """Without any one entry the file is refused, and that entry named; only future_days may have fewer."""
    raw = deepcopy(RAW)
    *tables, name = path.split(".")
    below = raw
    for table in tables:
        below = below[table]
    del below[name]
    tried = _tried(_file(raw))
    if path.startswith("filing.future_days."):
        assert isinstance(tried, Rulebook)
        return
    assert isinstance(tried, RulebookFileError)
    assert [entry for entry, _ in tried.errors] == [path]
    assert read_stored(_file(raw))[0].version == RAW["version"]


@given(st.text(max_size=60) | st.text("[]{}=\"'.,#\n\r\\ab19:-+_ ", max_size=60))
def test_no_text_at_all_breaks_the_reader(text: str) -> None:
    """Reading any text gives RulebookFileError, with something said."""
    assert isinstance(_tried(text), RulebookFileError)


@given(st.integers(0, len(TEXT)), st.integers(0, 40), st.text(max_size=5))
def test_a_damaged_file_breaks_nothing(place: int, removed: int, added: str) -> None:
    """The shipped file with a piece cut out and another put in is a rulebook or none, and nothing else is raised."""
    text = TEXT[:place] + added + TEXT[place + removed :]
    tried = _tried(text)
    assert isinstance(tried, RulebookFileError) or tried.digest == rulebook_file.digest(text)
