"""How right the sources are: asked about samples whose truth is known, within the credits of the day. Writes nothing
to leads or accounts (S1-08)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from plugins.enrichment import Capability, Facts
from plugins.errors import InvalidInput, PluginError
from server.config.version import Version
from server.db import Database
from server.enrichment import asking, assembling, sources
from server.enrichment.asking import Question
from server.enrichment.service import agreed
from server.enrichment.sources import Source
from server.errors import Invalid
from server.leads import service as leads

MOST_SAMPLES = 200
ASKED_BY = {
    "ip": Capability.COMPANY_BY_IP,
    "domain": Capability.COMPANY_BY_DOMAIN,
    "email": Capability.PERSON_BY_EMAIL,
}
OF_PERSON = ("name", "first_name", "last_name", "title", "seniority", "department", "phone", "company", "country")
OF_COMPANY = ("name", "domain", "industry", "employees", "country", "city", "tech", "revenue")
TRUTHFUL = ("human", "crm", "identity")
"""Origins of values that are taken for the truth."""
NEAR = 0.25
"""Head counts and revenues this near, as a share, count as right: every source counts another day."""
SEVERAL = ";"


@dataclass(frozen=True)
class Sample:
    """A question and what its answer should say."""

    question: Question
    truth: Mapping[str, Any]


@dataclass
class Score:
    """Of one field at one source."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @property
    def correctness(self) -> int | None:
        """Percent of the values told that were right; None where none was told."""
        told = self.right + self.wrong
        return round(100 * self.right / told) if told else None


@dataclass
class OfSource:
    """One source's answers to one kind of question. `failed`: no answer came; `credits`: what they cost by its own
    count, nothing for answers that were still kept."""

    source: str
    asked_by: str
    asked: int = 0
    matches: int = 0
    failed: int = 0
    credits: float = 0.0
    problem: str = ""
    fields: dict[str, Score] = field(default_factory=dict)

    @property
    def match_rate(self) -> int | None:
        """Percent of the answered questions for which anything was known."""
        answered = self.asked - self.failed
        return round(100 * self.matches / answered) if answered else None


@dataclass
class Report:
    """What came of it, and one line for each value that was told or missed."""

    samples: int = 0
    sources: list[OfSource] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def as_csv(self) -> str:
        """The lines, for a spreadsheet: cells that a spreadsheet would calculate are put into quotes."""
        out = io.StringIO()
        names = ("source", "asked_by", "value", "field", "expected", "told", "confidence", "verdict")
        writer = csv.writer(out)
        writer.writerow(names)
        for line in self.lines:
            writer.writerow([_harmless(line[name]) for name in names])
        return out.getvalue()


def read(text: str) -> list[Sample]:
    """Samples from CSV: one of the columns ip, domain, email is what is asked with (the first that is filled in), the
    others are the truth: fields such as name, industry, employees. Invalid with the line that is wrong."""
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    names = {*ASKED_BY, *OF_PERSON, *OF_COMPANY}
    if unknown := sorted({str(name) for name in rows.fieldnames or ()} - names):
        raise Invalid(f"There is no column {unknown[0]}; there are {', '.join(sorted(names))}.", field="samples")
    found = [_sample(row, number) for number, row in enumerate(rows, 2)]
    if not found:
        raise Invalid("There is no sample: a line of names, and a line for each sample.", field="samples")
    if len(found) > MOST_SAMPLES:
        raise Invalid(f"{len(found)} samples are too many; up to {MOST_SAMPLES} at once.", field="samples")
    return found


def of_leads(tx: Connection, version: Version, most: int) -> list[Sample]:
    """The newest leads of whom people, the CRM or the site's own sign-in have told something, as samples; not those who
    did not agree to be recorded."""
    found: dict[str, Sample] = {}
    for lead, known in leads.latest(tx, [version.site_id], limit=500):
        if not agreed(tx, lead.id):
            continue
        told = [row for row in leads.field_values(tx, lead.id) if row.origin in TRUTHFUL]
        person = {row.field: row.value for row in told if row.subject_id == lead.id and row.field in OF_PERSON}
        company = {row.field: row.value for row in told if row.subject_id != lead.id and row.field in OF_COMPANY}
        if person and known.lead.get("email"):
            question = Question(Capability.PERSON_BY_EMAIL, str(known.lead["email"]))
            found[question.value] = Sample(question, person)
        if company and known.account.get("domain"):
            question = Question(Capability.COMPANY_BY_DOMAIN, str(known.account["domain"]))
            found[question.value] = Sample(question, company)
        if len(found) >= most:
            break
    return list(found.values())[:most]


def run(db: Database, version: Version, samples: Sequence[Sample]) -> Report:
    """Ask every source everything it can be asked; what was answered lately is not paid for again."""
    with db.reading() as tx:
        known = sources.of_site(tx, version)
    report = Report(len(samples))
    for source in known:
        for word, capability in ASKED_BY.items():
            mine = [one for one in samples if one.question.capability is capability]
            if mine and source.can(capability):
                report.sources.append(_judged(db, version, source, word, mine, report))
    return report


def _judged(
    db: Database, version: Version, source: Source, word: str, samples: Iterable[Sample], report: Report
) -> OfSource:
    of = OfSource(source.adapter.title or source.name, word)
    for sample in samples:
        of.asked += 1
        try:
            facts = asking.ask(db, version, source, sample.question, patience=assembling.PATIENCE_SECONDS)
        except InvalidInput:
            facts = Facts()
        except PluginError as problem:
            of.failed += 1
            of.problem = problem.user_message
            continue
        of.credits += facts.cost
        told = assembling.of_question(sample.question, facts)
        of.matches += bool(set(told) - {"email", "email_valid", "email_type"})
        for name, expected in sample.truth.items():
            fact = told.get(name)
            verdict = "missing" if fact is None else "right" if is_right(name, fact.value, expected) else "wrong"
            score = of.fields.setdefault(name, Score())
            setattr(score, verdict, getattr(score, verdict) + 1)
            report.lines.append(
                {
                    "source": of.source, "asked_by": word, "value": sample.question.value, "field": name,
                    "expected": expected, "told": fact.value if fact else "",
                    "confidence": fact.confidence if fact else "", "verdict": verdict,
                }
            )  # fmt: skip
    return of


def is_right(name: str, told: Any, expected: Any) -> bool:
    """Whether a value says the same: letters alike, numbers near, of lists at least half of what was expected."""
    if name in ("employees", "revenue"):
        ours, theirs = _number(expected), _number(told)
        return ours is not None and theirs is not None and abs(ours - theirs) <= NEAR * max(abs(ours), abs(theirs))
    if name == "tech":
        wanted = set(_several(expected))
        return bool(wanted) and len(wanted & set(_several(told))) * 2 >= len(wanted)
    return _plain(told) == _plain(expected)


def _sample(row: Mapping[str, Any], number: int) -> Sample:
    if None in row or None in row.values():
        raise Invalid(f"Line {number} has not as many cells as there are names.", field="samples")
    word = next((word for word in ASKED_BY if row.get(word)), "")
    if not word:
        raise Invalid(f"Line {number} has neither ip nor domain nor email.", field="samples")
    fields = OF_PERSON if word == "email" else OF_COMPANY
    truth = {name: value for name, value in row.items() if value and name in fields and name != word}
    if not truth:
        raise Invalid(f"Line {number} says nothing that an answer could be held against.", field="samples")
    return Sample(Question(ASKED_BY[word], row[word].strip()), truth)


def _several(value: Any) -> Iterator[str]:
    yield from map(_plain, value if isinstance(value, list | tuple) else str(value).split(SEVERAL))


def _plain(value: Any) -> str:
    return " ".join(leads.email_key(str(value)).split())


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace(",", "").replace(" ", ""))
    except ValueError:
        return None


def _harmless(value: Any) -> str:
    text = SEVERAL.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
