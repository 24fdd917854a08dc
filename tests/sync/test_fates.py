"""What becomes of each field, and why: who said it, what stands there, what we wrote last, what the CRM takes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.crm import RemoteField
from server.sync import fates
from server.sync.fates import CREATE, KEEP, REFUSE, SKIP, UPDATE, decide, fitting, same
from server.sync.schema import Mapped, Records
from server.sync.values import Value

TITLE = Mapped(ours="lead.title", theirs="title")
RECORDS = Records()
FORM, HUMAN, ENRICHED = Value("CTO", "form"), Value("CTO", "human"), Value("CTO", "enrichment")
CHOICES = RemoteField("rating", "Rating", "choice", choices=("Hot", "Warm"))


@pytest.mark.parametrize(
    ("value", "there", "told", "what", "why"),
    [
        (FORM, None, {}, UPDATE, ""),
        (FORM, "cto ", {}, KEEP, "same"),
        (FORM, "CEO", {}, KEEP, "crm"),
        (ENRICHED, "CEO", {}, KEEP, "crm"),
        (HUMAN, "CEO", {}, UPDATE, ""),
        (FORM, "CEO", {"title": "CEO"}, UPDATE, ""),
        (FORM, "Boss", {"title": "CEO"}, KEEP, "human"),
        (HUMAN, "Boss", {"title": "CEO"}, KEEP, "human"),
        (FORM, None, {"title": "CEO"}, KEEP, "human"),
        (Value("CTO", "crm"), "CEO", {}, KEEP, "crm"),
        (None, "CEO", {}, SKIP, "unknown"),
    ],
)
def test_a_field_of_a_known_record_goes_by_who_said_it_last(value, there, told, what, why):
    found = decide(TITLE, value, RECORDS, there=there, exists=True, told=told)
    assert (found.what, found.why) == (what, why)
    assert found.because


def test_in_a_new_record_everything_known_is_set():
    assert decide(TITLE, FORM, RECORDS).what == CREATE


@pytest.mark.parametrize(
    ("mapped", "records", "there", "what"),
    [
        (Mapped(ours="lead.title", theirs="title", rule="fill"), RECORDS, "", UPDATE),
        (Mapped(ours="lead.title", theirs="title", rule="fill"), RECORDS, "CEO", KEEP),
        (Mapped(ours="lead.title", theirs="title", rule="create"), RECORDS, "", KEEP),
        (Mapped(ours="lead.title", theirs="title", direction="in"), RECORDS, "", SKIP),
        (TITLE, Records(known="fill"), "CEO", KEEP),
        (TITLE, Records(known="never"), "", KEEP),
    ],
)
def test_rules_of_the_field_and_of_the_record_hold_back(mapped, records, there, what):
    assert decide(mapped, FORM, records, there=there, exists=True, told={"title": there}).what == what


@pytest.mark.parametrize(
    ("value", "remote", "taken"),
    [
        ("hot", CHOICES, "Hot"),
        ("12", RemoteField("n", "N", "number"), 12),
        (True, RemoteField("b", "B", "boolean"), True),
        ("yes", RemoteField("b", "B", "boolean"), True),
        (["a", "b"], RemoteField("t", "T"), "a, b"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), RemoteField("d", "D", "date"), "2026-03-02"),
        (["hot", "WARM"], RemoteField("r", "R", "choices", choices=("Hot", "Warm")), ["Hot", "Warm"]),
    ],
)
def test_a_value_takes_the_form_of_its_field(value, remote, taken):
    assert fitting(value, remote) == (taken, "")


@pytest.mark.parametrize(
    ("value", "remote", "sentence"),
    [
        ("cold", CHOICES, "It takes Hot, Warm; cold is none of these."),
        ("many", RemoteField("n", "N", "number"), "It takes numbers only."),
        ("maybe", RemoteField("b", "B", "boolean"), "It takes yes or no only."),
        ("soon", RemoteField("d", "D", "date"), "It takes a date only."),
        ("x", RemoteField("c", "C", writable=False), "The CRM does not let anybody write this field."),
    ],
)
def test_what_the_field_does_not_take_is_refused_in_a_sentence(value, remote, sentence):
    found = decide(Mapped(ours="lead.rating", theirs="x"), Value(value), RECORDS, remote=remote)
    assert (found.what, found.because) == (REFUSE, sentence)


def test_what_came_from_the_crm_under_a_name_of_ours_is_no_value_that_it_refuses():
    rating = Mapped(ours="lead.rating", theirs="rating")
    for origin, there, what in (("crm", "Warm", KEEP), ("form", "Warm", REFUSE), ("crm", None, REFUSE)):
        found = decide(rating, Value("lukewarm", origin), RECORDS, there=there, exists=True, remote=CHOICES)
        assert found.what == what, (origin, there)


def test_values_are_said_in_the_words_of_the_crm_and_come_back_in_ours():
    status = Mapped(ours="lead.status", theirs="status", values={"assigned": "Working"})
    assert fates.translated(status, "assigned") == "Working"
    assert fates.translated(status, "new") == "new"
    assert fates.back(status, "working") == "assigned"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada  Lovelace", "ada lovelace"), (5, "5"), (5.0, 5), (True, "true"), (["b", "a"], "a;b"),
        ("2026-03-02T09:00:00Z", datetime(2026, 3, 2, 9, tzinfo=UTC)), (None, ""),
        ("2026-03-02T10:00:00+01:00", "2026-03-02T09:00:00.000+0000"),
    ],
)  # fmt: skip
def test_two_systems_mean_the_same_in_different_forms(one, other):
    assert same(one, other)


@pytest.mark.parametrize(("one", "other"), [(1, True), ("1", "yes"), ("10", "1"), (0, None), ("a", ["a", "b"])])
def test_different_things_are_not_the_same(one, other):
    assert not same(one, other)


@settings(max_examples=60)
@given(
    there=st.one_of(st.none(), st.text(max_size=5)),
    told=st.one_of(st.none(), st.text(max_size=5)),
    origin=st.sampled_from(["human", "crm", "form", "conversation", "enrichment", "usher"]),
    rule=st.sampled_from(["update", "fill", "create"]),
    known=st.sampled_from(["update", "fill", "never"]),
)
def test_what_somebody_edited_there_after_us_is_never_written_over(there, told, origin, rule, known):
    mapped = Mapped(ours="lead.title", theirs="title", rule=rule)
    before = {} if told is None else {"title": told}
    found = decide(mapped, Value("CTO", origin), Records(known=known), there=there, exists=True, told=before)
    edited = not fates.empty(told) and not same(there, told)
    assert not (edited and found.is_written)


LONG = "Vice President of Everything that Has to Do with Customers and Their Happiness"


@pytest.mark.parametrize("there", [LONG[:39] + "…", LONG[:60].upper() + " …"])
def test_what_was_cut_to_fit_its_column_is_no_edit_made_there(there):
    title = Value(LONG, "form")
    assert decide(TITLE, title, RECORDS, there=there, exists=True, told={"title": LONG}).why == "same"
    assert fates.holds(there, LONG)
    assert not fates.holds(LONG, there)
    assert not same(there, LONG)


@pytest.mark.parametrize("there", [LONG[:50], "…", LONG[:20] + "…", LONG[10:60] + "…", LONG + " and more"])
def test_what_bears_no_mark_or_is_no_beginning_was_changed_there(there):
    assert decide(TITLE, Value(LONG, "form"), RECORDS, there=there, exists=True, told={"title": LONG}).why == "human"


def test_our_own_text_that_ends_with_the_mark_is_no_cut_one():
    before = {"title": "Head…"}
    told = decide(TITLE, Value("Head of IT", "form"), RECORDS, there="Head…", exists=True, told=before)
    assert told.what == UPDATE
    edited = decide(TITLE, Value("CTO", "form"), RECORDS, there="Head of Procurement", exists=True, told=before)
    assert (edited.what, edited.why) == (KEEP, "human")
