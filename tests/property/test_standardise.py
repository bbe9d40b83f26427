"""Properties of standardisation that hold for any input."""

from __future__ import annotations

import string
import unicodedata
from datetime import date

import phonenumbers
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_97_10

from frankpledge.standardise import accounts, contacts, names, organisation, person, vehicle
from frankpledge.standardise import notes as reasons
from frankpledge.standardise.nicknames import canonical, common_ranks, usage_forms

ADDRESS_COLUMNS = ("house_number", "street", "town", "postcode", "country", "phone", "email")
PERSON_COLUMNS = (
    *("given_name", "family_name", "date_of_birth", "sex", "vehicle_registration"),
    *("national_id", "driving_licence", "bank_account"),
    *ADDRESS_COLUMNS,
)
ORGANISATION_COLUMNS = ("organisation_name", "company_number", *ADDRESS_COLUMNS)
FRAGMENTS = """
    de la mc o' st sir jr phd the test n/a na d r te an other 1st ( ) & co ltd t/a 0 00 19 1980 03 / - + 44 gb x
"""

fragments = st.sampled_from(sorted(FRAGMENTS.split()))
texts = st.text(max_size=40) | st.lists(fragments | st.text(string.ascii_letters, max_size=6), max_size=6).map(" ".join)
latin_names = st.text("abcdefghijklmnopqrstuvwxyzàçéèêëîïôöùûüñãåłńśźżğşčřž' -", min_size=1, max_size=24)


REASONS = {value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str)}


@given(st.dictionaries(st.sampled_from(PERSON_COLUMNS), texts))
def test_any_person_gives_clean_atoms(raw: dict[str, str]) -> None:
    """Any text is read without an error into non-empty lower-case ASCII atoms, with notes of fixed wording only."""
    atoms, notes = person(raw)
    for value in atoms.values():
        assert value
        assert value == value.strip().lower()
        assert value.isascii()
        assert value.isprintable()
    assert all(note.field in PERSON_COLUMNS and note.reason in REASONS for note in notes)


@given(st.dictionaries(st.sampled_from(ORGANISATION_COLUMNS), texts), texts, texts)
def test_any_organisation_and_vehicle_give_clean_atoms(raw: dict[str, str], mark: str, vin: str) -> None:
    """Organisations and vehicles never raise either, and their atoms are as clean."""
    atoms = organisation(raw)[0] | vehicle({"vehicle_registration": mark, "vin": vin})[0]
    assert all(value and value.isascii() and value == value.strip().lower() for value in atoms.values())


SAME_NAMED = ("house_number", "street", "town", "postcode", "country", "email", "national_id", "driving_licence", "sex")


@given(st.dictionaries(st.sampled_from(PERSON_COLUMNS), texts))
@example({"family_name": "te st"})
@example({"given_name": "d r", "family_name": "d r"})
@example({"street": "12 13 high street"})
@example({"street": "0:AA", "house_number": "-"})
@example({"postcode": "A0:"})
@example({"postcode": "a-0"})
def test_standardising_twice_changes_nothing(raw: dict[str, str]) -> None:
    """Atoms put back into their columns give the same atoms again."""
    atoms, _ = person(raw)
    back = {name: atoms[name] for name in SAME_NAMED if name in atoms}
    columns = {"given": "given_name", "family": "family_name", "dob": "date_of_birth"}
    back |= {column: atoms[name] for name, column in columns.items() if name in atoms}
    again, _ = person(back)
    for name in (
        *SAME_NAMED,
        "given",
        "given_canonical",
        "given_phonetic",
        "family",
        "family_phonetic",
        "dob",
        "dob_md",
    ):
        if name in again or name in back:
            assert again.get(name) == atoms.get(name), name


@given(texts)
def test_organisation_names_settle_at_once(text: str) -> None:
    """The name of an organisation without its legal form is not shortened a second time."""
    once = organisation({"organisation_name": text})[0].get("org_name", "")
    assert organisation({"organisation_name": once})[0].get("org_name", "") == once


@given(st.text(string.ascii_letters + string.digits + " -", max_size=20))
def test_identifying_numbers_settle_at_once(text: str) -> None:
    """Registration marks, VINs and company numbers read again are unchanged."""
    for column, atom, read in (
        ("vehicle_registration", "registration", vehicle),
        ("vin", "vin", vehicle),
        ("company_number", "company_number", organisation),
    ):
        once = read({column: text})[0].get(atom, "")
        assert read({column: once})[0].get(atom, "") == once


@given(latin_names, st.sampled_from(["given_name", "family_name", "town", "street"]))
def test_case_space_and_composition_do_not_matter(name: str, column: str) -> None:
    """Capitals, doubled or outer spaces and decomposed accents give the same atoms."""
    plain = person({column: name})
    assert person({column: name.upper()}) == plain
    assert person({column: "  " + name.replace(" ", "\t ") + "\u00a0"}) == plain
    assert person({column: unicodedata.normalize("NFD", name)}) == plain


@given(st.text("abcdefghijklmnopqrstuvwxyzéüñłç", min_size=1, max_size=12))
def test_accents_do_not_matter(name: str) -> None:
    """A name typed without its accents gives the same atoms."""
    bare = name.translate(str.maketrans("éüñłç", "eunlc"))
    assert names.family(name) == names.family(bare)


@given(
    st.dates(), st.sampled_from(["{0:04}-{1:02}-{2:02}", "{2}/{1}/{0:04}", "{2:02}.{1:02}.{0:04}", "{0:04}/{1}/{2}"])
)
def test_swapped_day_and_month_share_a_pair(day: date, shape: str) -> None:
    """A date and the same with day and month exchanged have one dob_md, in every way of writing."""
    straight = person({"date_of_birth": shape.format(day.year, day.month, day.day)})[0]
    swapped = person({"date_of_birth": shape.format(day.year, day.day, day.month)})[0]
    if day.day <= 12:
        assert straight.get("dob_md") == swapped.get("dob_md")


@given(st.dates(min_value=date(1901, 1, 2), max_value=date(2099, 12, 31)))
def test_all_ways_of_writing_a_date_agree(day: date) -> None:
    """ISO, eight digits, day first and a month in words are one date."""
    writings = ["%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%d %B %Y", "%d-%b-%Y", "%Y-%m-%dT00:00:00"]
    read = [person({"date_of_birth": day.strftime(shape)})[0].get("dob") for shape in writings]
    assert read == [day.strftime("%Y%m%d")] * 6


@given(
    st.from_regex(r"(0|\+44|0044|\+44 \(0\)|44)[1-9][0-9]{8,10}", fullmatch=True)
    | st.from_regex(r"[0+][0-9() .-]{6,16}", fullmatch=True)
)
def test_the_short_way_for_uk_phones_agrees_with_the_package(text: str) -> None:
    """Wherever the short way reads a number, the phonenumbers package reads the same."""
    if short := contacts.plain_uk_number(text):
        number = phonenumbers.parse(f"+{text}" if text.startswith("44") else text, "GB")
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == f"+{short}"
        assert phonenumbers.is_possible_number(number)


@given(
    st.sampled_from(sorted(usage_forms()))
    | st.sampled_from(sorted(common_ranks()))
    | st.text(string.ascii_lowercase, min_size=1)
)
def test_canonical_names_are_fixed_points(name: str) -> None:
    """The canonical form of a canonical form is itself."""
    assert canonical(canonical(name)) == canonical(name)


@given(st.from_regex(r"[0-9]{14}", fullmatch=True))
def test_uk_ibans_agree_with_sort_code_and_account(digits: str) -> None:
    """A UK IBAN and the sort code and account number in it give one atom."""
    iban = "GB" + mod_97_10.calc_check_digits(f"WEST{digits}GB") + "WEST" + digits
    assert accounts.bank_account(iban) == accounts.bank_account(
        f"{digits[:2]}-{digits[2:4]}-{digits[4:6]} {digits[6:]}"
    )
