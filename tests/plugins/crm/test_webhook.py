"""The signed webhook: what a program of one's own is told, what it may answer, and how it tells us of changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from plugins.crm import CRM, Company, Kind, Person, Ref
from plugins.crm.webhook import Webhook
from plugins.errors import AmbiguousOutcome, ConfigError, InvalidInput, NotFound, PermissionDenied, Transient
from plugins.fields import validate
from plugins.signing import name_of, new_secret, signed, verified
from plugins.testing import CRMConformance
from plugins.testing.crm import ADA, CHAT, DEMO
from plugins.testing.fakes import Fault
from plugins.testing.fakes.webhook import SECRET, WebhookFake

SCHEMA = Path(__file__).parents[3] / "docs" / "adapters" / "webhook.schema.json"
HOOK = "https://usher.example.com/v1/hooks/con_1"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEPT = {
    Kind.PERSON: "people", Kind.COMPANY: "companies", Kind.ACTIVITY: "activities", Kind.MEETING: "meetings",
    Kind.OPPORTUNITY: "opportunities",
}  # fmt: skip


@pytest.fixture(scope="module")
def program() -> Iterator[WebhookFake]:
    with WebhookFake() as fake:
        yield fake


class TestWebhook(CRMConformance):
    adapter = Webhook
    error_in_200 = "the receiver is asked to say errors with a status"
    hook_secret = SECRET
    no_handshake = "the receiver calls us when it has something to say"
    known: Any

    @pytest.fixture
    def fake(self, program: WebhookFake) -> WebhookFake:
        program.reset()
        type(self).known = program
        return program

    @pytest.fixture
    def config(self, fake: WebhookFake) -> dict[str, Any]:
        return {"url": f"{fake.url}/usher", "secret": SECRET}

    @pytest.fixture
    def hook_call(self, fake: WebhookFake) -> Callable[..., Any]:
        def call(subject: Any, *, secret: str, at: datetime, event: int) -> Any:
            about = {"id": "p1", "values": {"title": "CEO", "n": event}}
            message = {"type": "person.changed", "timestamp": "2026-03-02T12:00:00Z", "data": about}
            return fake.told_by(HOOK, at, message, id=f"msg_{event}", secret=secret)

        return call

    def count(self, subject: CRM, kind: Kind) -> int:
        return len(getattr(self.known, KEPT[kind]))

    def error(self, status: int) -> Fault:
        code = "not_found" if status == 404 else "no"
        return Fault(status, json.dumps({"error": {"code": code, "message": "no"}}).encode())

    def test_every_message_has_the_shape_that_the_docs_give(self, subject: Any, fake: WebhookFake) -> None:
        shape = Draft202012Validator(json.loads(SCHEMA.read_text()), format_checker=Draft202012Validator.FORMAT_CHECKER)
        ada = subject.upsert_person(replace(ADA, fields={"tier": "gold"}, opted_out=False), key="k1")
        globex = subject.upsert_company(Company("globex.example", employees=800, is_target=True), key="k2")
        subject.upsert_person(replace(ADA, company_ref=globex), key="k3")
        subject.log_activity(ada, CHAT, key="k4")
        subject.log_meeting(ada, replace(DEMO, guests=("bob@globex.example",)), key="k5")
        subject.convert(ada, key="k6", company=globex, opportunity="Globex: 800 seats")
        subject.convert(ada, key="k7")
        subject.erase(ada, key="k8")
        subject.check()
        types = {message["type"] for message in fake.messages}
        assert types == set(shape.schema["properties"]["type"]["enum"])
        assert [error.message for message in fake.messages for error in shape.iter_errors(message)] == []
        assert list(shape.iter_errors({**fake.messages[0], "surprise": 1}))

    def test_the_key_is_the_id_and_the_same_message_is_done_once(self, subject: Any, fake: WebhookFake) -> None:
        ref = subject.upsert_person(ADA, key="crm:person:lead_1:evt_1")
        again = subject.upsert_person(ADA, key="crm:person:lead_1:evt_1")
        assert fake.messages[0]["id"] == "crm:person:lead_1:evt_1"
        assert {asked.headers["webhook-id"] for asked in fake.asked} == {"crm:person:lead_1:evt_1"}
        assert (len(fake.asked), len(fake.messages)) == (2, 1)
        assert (ref, ref.url) == (again, "https://crm.example/p1")

    def test_none_is_not_sent_and_empty_is(self, subject: Any, fake: WebhookFake) -> None:
        subject.upsert_person(Person(ADA.email, phone=""), key="k1")
        assert fake.messages[0]["data"]["person"] == {"email": ADA.email, "phone": "", "fields": {}}

    def test_a_receiver_that_names_no_ids_gets_ours_again(self, subject: Any, fake: WebhookFake) -> None:
        fake.names_ids = False
        ada = subject.upsert_person(ADA, key="k1")
        assert subject.upsert_person(replace(ADA, email="ADA@globex.example"), key="k2") == ada
        subject.log_activity(ada, CHAT, key="k3")
        assert fake.messages[-1]["data"]["person"] == {"id": ada.id}
        told = {"type": "person.changed", "timestamp": "2026-03-02T12:00:00Z"}
        (change,) = subject.told({**told, "data": {"email": "Ada@globex.example", "values": {"title": "CEO"}}})
        assert change.ref == ada

    def test_a_receiver_may_answer_in_one_word(self, subject: Any, fake: WebhookFake) -> None:
        fake.faults.add(Fault(202, b"ok", "text/plain"))
        assert subject.upsert_person(ADA, key="k1").id.startswith("per_")

    @pytest.mark.parametrize(
        ("status", "body"),
        [(204, b""), (200, b""), (200, b"ok"), (201, b" <p>done</p>"), (200, b"{received}"), (200, b"{'ok': True}")],
    )
    def test_a_receiver_need_not_say_what_its_answer_is(
        self, subject: Any, fake: WebhookFake, status: int, body: bytes
    ) -> None:
        fake.faults.add(Fault(status, body, "text/html; charset=utf-8", done=True))
        assert subject.check().ok
        assert subject.upsert_person(ADA, key="k1").id.startswith("per_")
        assert len(fake.people) == 1

    @pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "application/vnd.api+json"])
    @pytest.mark.parametrize("before", [b"", b"\n ", b"\xef\xbb\xbf"])
    def test_a_record_named_is_known_whatever_its_answer_is_called(
        self, subject: Any, fake: WebhookFake, kind: str, before: bytes
    ) -> None:
        fake.faults.add(Fault(200, before + b'{"id": 7, "url": "https://crm.example/7"}', kind))
        ref = subject.upsert_person(ADA, key="k1")
        assert (ref.id, ref.url) == ("7", "https://crm.example/7")

    @pytest.mark.parametrize(
        "page",
        [
            b"<!DOCTYPE html><html><body>Sign in</body></html>", b"\r\n <HTML lang=de>", b"\xef\xbb\xbf<html>",
            b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-">', b"<!-- (c) --><!-- x --> <html>",
            b"<script>location='/login'</script>", b"<head><title>Welcome</title>",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("kind", ["text/html", "text/plain"])
    def test_a_page_is_somebody_else_s_answer(self, subject: Any, fake: WebhookFake, page: bytes, kind: str) -> None:
        fake.faults.add(Fault(200, page, kind))
        for deed in (subject.check, lambda: subject.upsert_person(ADA, key="k1")):
            with pytest.raises(Transient) as caught:
                deed()
            assert "web page" in caught.value.user_message

    def test_an_answer_that_looks_for_long_as_if_it_became_a_page_is_read_in_no_time(
        self, subject: Any, fake: WebhookFake
    ) -> None:
        fake.faults.add(Fault(200, b"<!--" + b"--><!--" * 600 + b"x", "text/html"))
        assert subject.check().ok

    @pytest.mark.parametrize("id", ["x" * 3_000_000, {"a": [1]}, ["p1"], True, "x" * 121])
    def test_an_id_that_is_none_is_no_answer(self, subject: Any, fake: WebhookFake, id: Any) -> None:
        fake.faults.add(Fault(200, json.dumps({"id": id}).encode()))
        with pytest.raises(AmbiguousOutcome):
            subject.upsert_person(ADA, key="k1")
        told = {"type": "person.changed", "timestamp": "2026-03-02T12:00:00Z", "data": {"id": id, "values": {}}}
        assert subject.told(told) == ()

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", {"a": 1}])
    def test_an_address_that_is_none_of_the_web_is_left_out(self, subject: Any, fake: WebhookFake, url: Any) -> None:
        fake.faults.add(Fault(200, json.dumps({"id": 7, "url": url}).encode()))
        ref = subject.upsert_person(ADA, key="k1")
        assert (ref.id, ref.url) == ("7", "")

    def test_while_secrets_change_either_is_good(self, fake: WebhookFake, config: Any, records: Any) -> None:
        new = new_secret()
        subject = self.opened({**config, "secret": new, "old_secret": SECRET}, records)
        subject.upsert_person(ADA, key="k1")
        fake.secrets = [new]
        subject.upsert_person(ADA, key="k2")
        assert len(fake.asked[-1].headers["webhook-signature"].split()) == 2
        assert subject.check().warnings
        for secret in (SECRET, new):
            assert subject.hear(fake.told_by(HOOK, NOW, {"type": "person.deleted", "data": {}}, secret=secret)).messages
        fake.secrets = [new_secret()]
        found = subject.check()
        assert (found.ok, bool(found.message)) == (False, True)

    @pytest.mark.parametrize("status", [404, 410, 302])
    def test_an_address_where_nobody_listens_is_for_the_owner(
        self, subject: Any, fake: WebhookFake, status: int
    ) -> None:
        fake.faults.add(Fault(status, b"nothing here", "text/plain", {"Location": "https://elsewhere.example/"}))
        with pytest.raises(ConfigError):
            subject.upsert_person(ADA, key="k1")
        assert not subject.check().ok

    def test_somebody_who_is_gone_is_not_a_wrong_address(self, subject: Any) -> None:
        with pytest.raises(NotFound):
            subject.log_meeting(Ref(Kind.PERSON, "p99"), DEMO, key="k1")

    def test_a_value_the_receiver_refuses_is_named(self, subject: Any, fake: WebhookFake) -> None:
        said = {"error": {"field": "phone", "message": "no number"}}
        fake.faults.add(Fault(422, json.dumps(said).encode()))
        with pytest.raises(InvalidInput) as caught:
            subject.upsert_person(ADA, key="k1")
        assert caught.value.field == "phone"

    @pytest.mark.parametrize(
        "url", ["http://crm.example/usher", "https://user:word@crm.example/", "ftp://crm.example/"]
    )
    def test_the_address_is_one_that_keeps_secrets(self, url: str) -> None:
        with pytest.raises(ConfigError) as caught:
            validate(Webhook.fields, {"url": url, "secret": SECRET})
        assert caught.value.problems[0][0] == "url"

    @pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "a word", SECRET + "!"])
    def test_a_secret_that_is_too_short_or_no_secret_is_refused_unseen(self, secret: str) -> None:
        with pytest.raises(ConfigError) as caught:
            validate(Webhook.fields, {"url": "https://crm.example/", "secret": secret})
        assert caught.value.problems[0][0] == "secret"
        assert secret == "whsec_" or secret not in str(caught.value)

    @pytest.mark.parametrize(
        ("type", "about", "expected"),
        [
            ("person.changed", {"id": "1", "values": {"title": "CEO"}, "ours": True}, ({"title": "CEO"}, False, True)),
            ("company.changed", {"id": "1", "values": {"is_customer": True}}, ({"is_customer": True}, False, False)),
            ("person.deleted", {"id": "1"}, ({}, True, False)),
        ],
    )
    def test_a_message_of_theirs_is_a_change(self, subject: Any, type: str, about: Any, expected: Any) -> None:
        (change,) = subject.told({"timestamp": "2026-03-02T12:00:00+01:00", "type": type, "data": about})
        assert change.ref == Ref(Kind(type.partition(".")[0]), "1")
        assert (change.values, change.deleted, change.ours) == expected
        assert change.at == datetime(2026, 3, 2, 11, tzinfo=UTC)

    @pytest.mark.parametrize("message", [{"type": "deal.changed", "data": {}}, {"type": "person.changed"}, {}])
    def test_what_we_do_not_know_tells_nothing(self, subject: Any, message: Any) -> None:
        assert subject.told(message) == ()


def test_the_example_of_the_specification_comes_out_as_it_says() -> None:
    at, body = datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    headers = signed([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert verified(headers, body, [SECRET], at + timedelta(minutes=4)) == "msg_p5jXN8AQM9LWM0D4loKWxJek"


@pytest.mark.parametrize(
    "signature", ["", "v1,", "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "v2,x", "g0hM9SsE+OTPJTGt/tmI", "v1,é"]
)
def test_half_a_signature_is_none(signature: str) -> None:
    at, body = datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}'
    headers = signed([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body) | {"webhook-signature": signature}
    with pytest.raises(PermissionDenied):
        verified(headers, body, [SECRET], at)


@pytest.mark.parametrize("stamp", ["999999999999", "9" * 12, "9" * 40, "-1", ""])
def test_a_moment_that_no_calendar_has_is_no_moment(stamp: str) -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed([SECRET], "msg_1", at, b"{}") | {"webhook-timestamp": stamp}
    with pytest.raises(PermissionDenied):
        verified(headers, b"{}", [SECRET], at)


def test_an_id_holds_no_full_stop_that_could_move_the_parts() -> None:
    assert name_of("crm:person:lead_1") == "crm:person:lead_1"
    assert "." not in name_of("a.1614265330.{}")
    assert name_of("a.b") == name_of("a.b") != name_of("a.c")


def test_new_secrets_are_taken_as_settings_and_differ() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    for secret in made:
        validate(Webhook.fields, {"url": "https://crm.example/", "secret": secret})
