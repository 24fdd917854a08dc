"""Whatever a socket sends, it is read as a frame or refused with one sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import Invalid
from server.web.frames import FRAMES, read

HELLO = {"t": "hello", "site": "acme", "page": {}, "device": "phone", "locale": "en", "zone": "UTC", "seed": "s"}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def test_a_good_frame_is_read_and_nulls_are_left_out():
    assert read(json.dumps({**HELLO, "token": None})) == HELLO


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("no json", "not a JSON frame"),
        ('{"t": NaN}', "not a JSON frame"),
        ("[1]", "JSON object"),
        ('{"t": "launch"}', "one of: hello"),
        ('{"t": ["say"]}', "one of: hello"),
        ('{"t": "say", "id": "1"}', "needs `text`"),
        ('{"t": "say", "id": "1", "text": 3}', "`text` of `say` must be a text"),
        ('{"t": "seen", "seq": true}', "whole number"),
        ('{"t": "say", "id": "1", "text": "x", "admin": true}', "no field `admin`"),
        ('{"t": "say", "id": "", "text": "x"}', "1 to 64"),
        ('{"t": "say", "id": "1", "text": "a\\u0000b"}', "cannot be stored"),
        ('{"t": "say", "id": "1", "text": "\\ud800"}', "cannot be stored"),
        (json.dumps({"t": "say", "id": "1", "text": "x" * 4001}), "4,000"),
        ('{"t": "say", "id": "1", "text": "x", "value": {"option": {"a": 1}}}', "`option` of `value` must be a text"),
        ('{"t": "say", "id": "1", "text": "x", "value": {"options": 3}}', "`options` of `value` must be a list"),
        ('{"t": "say", "id": "1", "text": "x", "value": {"options": [{}]}}', "a list of texts"),
        ('{"t": "say", "id": "1", "text": "x", "value": {"slot": 5}}', "`slot` of `value` must be a text"),
        ("[" * 100_000, "not a JSON frame"),
    ],
)
def test_what_is_no_frame_is_refused_with_a_sentence(raw, sentence):
    with pytest.raises(Invalid, match=sentence):
        read(raw)


@given(st.text() | st.binary() | json_values.map(json.dumps))
def test_nothing_but_a_refusal_comes_of_noise(raw):
    try:
        assert read(raw)["t"] in FRAMES
    except Invalid as refused:
        assert refused.message


@given(
    st.sampled_from(sorted(FRAMES)),
    st.dictionaries(st.sampled_from(["id", "text", "page", "seq", "value"]), json_values),
)
def test_nothing_but_a_refusal_comes_of_wrong_fields(kind, fields):
    try:
        assert read(json.dumps({"t": kind, **fields}))["t"] == kind
    except Invalid as refused:
        assert refused.message
