"""Addresses, telephones, names and companies."""

from __future__ import annotations

import pytest

from plugins.ai import Correction, Expect, Expectation, FormField, Intent
from tests.plugins.ai.conftest import Hear

EMAIL = Expectation(Expect.EMAIL)
COMPANY = Expectation(Expect.COMPANY)
FORM = Expectation(
    Expect.FORM,
    fields=(
        FormField("name", "Your name"),
        FormField("email", "E-mail", "email"),
        FormField("phone", "Phone", "phone", required=False),
        FormField("company", "Company", "company", required=False),
    ),
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"), ("Ada@EXAMPLE.com.", "Ada@example.com"),
        ("it's ada@example.com, thanks", "ada@example.com"), ("<ada@example.com>", "ada@example.com"),
        ("ada at example dot com", "ada@example.com"), ("ada (at) example (dot) com", "ada@example.com"),
        ("ada[at]example.com", "ada@example.com"), ("ada arroba ejemplo punto com", "ada@ejemplo.com"),
        ("ada arobase exemple point fr", "ada@exemple.fr"), ("ada.l+x@sub.example.co.uk!", "ada.l+x@sub.example.co.uk"),
        ("mailto:ada@example.com", "ada@example.com"), ("ada punkt l at web punkt de", "ada.l@web.de"),
        ("ada.lovelace at gmail.com", "ada.lovelace@gmail.com"), ("ada @ example.com", "ada@example.com"),
    ],
)  # fmt: skip
def test_a_visitor_gives_an_email_address(hear: Hear, text: str, address: str) -> None:
    given = hear(text, EMAIL)
    assert (given.matched, given.value, given.intent) == (True, address, Intent.ANSWER)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"), ("ada@hotmial.com", "ada@hotmail.com"), ("ada@acme.con", "ada@acme.com"),
        ("ada@yaho.com", "ada@yahoo.com"), ("ada@gmail.con", "ada@gmail.com"), ("ada@outlok.com", "ada@outlook.com"),
    ],
)  # fmt: skip
def test_a_visitor_who_mistypes_the_provider_is_shown_what_was_meant(hear: Hear, text: str, meant: str) -> None:
    given = hear(text, EMAIL)
    assert (given.matched, given.correction, given.suggestion) == (False, Correction.INVALID_EMAIL, meant)


@pytest.mark.parametrize("text", ["ada@mail.com", "ada@gmx.net", "ada@gmx.at", "ada@ymail.com", "ada@globex.example"])
def test_an_address_that_only_looks_like_a_slip_is_taken(hear: Hear, text: str) -> None:
    assert hear(text, EMAIL).value == text


@pytest.mark.parametrize("text", ["ada@", "ada@globex", "@globex.com", "ada@@globex.com", "no at sign", "ada@-x.com"])
def test_what_is_no_address_is_asked_for_again(hear: Hear, text: str) -> None:
    given = hear(text, EMAIL)
    assert (given.matched, given.correction) == (False, Correction.INVALID_EMAIL)


@pytest.mark.parametrize(
    ("text", "zone", "number"),
    [
        ("+49 30 901820", "Europe/Berlin", "+4930901820"), ("0171 2345678", "Europe/Berlin", "+491712345678"),
        ("call me at +49 171 2345678", "Europe/Paris", "+491712345678"),
        ("06 12 34 56 78", "Europe/Paris", "+33612345678"),
        ("(415) 555-2671", "America/New_York", "+14155552671"), ("912 345 678", "Europe/Madrid", "+34912345678"),
        ("mein handy: 0171/2345678", "Europe/Berlin", "+491712345678"),
    ],
)  # fmt: skip
def test_a_visitor_gives_a_telephone_number(hear: Hear, text: str, zone: str, number: str) -> None:
    given = hear(text, Expectation(Expect.PHONE), zone=zone)
    assert (given.matched, given.value, given.intent) == (True, number, Intent.ANSWER)


def test_the_sites_country_counts_before_the_visitors_clock(hear: Hear) -> None:
    assert hear("06 12 34 56 78", Expectation(Expect.PHONE, region="FR"), zone="UTC").value == "+33612345678"


def test_what_is_no_telephone_number_is_asked_for_again(hear: Hear) -> None:
    assert hear("12345", Expectation(Expect.PHONE)).correction is Correction.INVALID_PHONE


@pytest.mark.parametrize(
    ("text", "name", "company"),
    [
        ("I'm Ada Lovelace", "Ada Lovelace", ""), ("my name is ada lovelace", "Ada Lovelace", ""),
        ("Hi, I'm Ada from Globex", "Ada", "Globex"), ("ich heiße Anna Müller", "Anna Müller", ""),
        ("je m'appelle Zoé Dupont et je travaille chez BNP Paribas", "Zoé Dupont", "BNP Paribas"),
        ("me llamo Juan Pérez", "Juan Pérez", ""),
        ("I work at Globex", "", "Globex"),
        ("i work at globex", "", "globex"),
        ("wir sind die Initech GmbH", "", "Initech GmbH"), ("ich bin Entwickler bei SAP", "", "SAP"),
        ("trabajo en Telefónica", "", "Telefónica"), ("nous sommes Dupont & Fils SARL", "", "Dupont & Fils SARL"),
        ("we're a team of 12 at Initech", "", "Initech"), ("my name is Vincent van Gogh", "Vincent van Gogh", ""),
        ("I'm interested", "", ""), ("we are looking for a crm", "", ""), ("I work at a bank", "", ""),
        ("I am from Germany", "", ""), ("Ich bin Student", "", ""), ("do you integrate with Salesforce?", "", ""),
        ("company name is Umbrella Corp", "", "Umbrella Corp"), ("je suis développeur", "", ""),
    ],
)  # fmt: skip
def test_a_visitor_says_who_they_are(hear: Hear, text: str, name: str, company: str) -> None:
    found = hear(text).entities
    assert (found.name, found.company) == (name, company)


@pytest.mark.parametrize(
    ("text", "company"),
    [
        ("Globex", "Globex"), ("globex", "globex"), ("Acme Inc.", "Acme Inc."), ("it's called Acme", "Acme"),
        ("bei Siemens", "Siemens"), ("we're with Globex Corp", "Globex Corp"), ("la empresa se llama Zara", "Zara"),
        ("chez Michelin", "Michelin"), ("Marks & Spencer", "Marks & Spencer"), ("3M", "3M"),
    ],
)  # fmt: skip
def test_a_visitor_names_the_company_asked_for(hear: Hear, text: str, company: str) -> None:
    assert hear(text, COMPANY).value == company


def test_a_question_is_not_a_company(hear: Hear) -> None:
    heard = hear("what do you need that for?", COMPANY)
    assert (heard.matched, heard.intent) == (False, Intent.QUESTION)


@pytest.mark.parametrize(
    "text",
    ["Ada Lovelace, ada@globex.com, 0171 2345678, Globex", "I'm Ada Lovelace from Globex, ada@globex.com 0171 2345678"],
)
def test_a_form_is_filled_by_typing(hear: Hear, text: str) -> None:
    assert hear(text, FORM).value == {
        "name": "Ada Lovelace", "email": "ada@globex.com", "phone": "+491712345678", "company": "Globex",
    }  # fmt: skip


def test_a_form_with_a_hole_says_so_and_keeps_what_it_has(hear: Hear) -> None:
    heard = hear("ada@globex.com", FORM)
    assert (heard.matched, heard.correction, heard.value) == (
        False,
        Correction.MISSING_FIELD,
        {"email": "ada@globex.com"},
    )
