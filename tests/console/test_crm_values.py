"""Words there: whatever a file holds is read back from the form as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.console import crm_values

PIECES = st.sampled_from([*'ab=,;"\\ \n\r\t', "\u00a0", "\u2028", "ü"])
WORDS = st.lists(PIECES, max_size=8).map("".join)


@given(st.dictionaries(WORDS, WORDS, max_size=4))
def test_what_is_shown_is_read_as_it_was(values):
    sent = crm_values.shown(values).replace("\n", "\r\n").strip()  # as a browser and the form's reader do
    assert crm_values.read(sent) == values


def test_plain_words_are_shown_plainly():
    shown = crm_values.shown({"lost": "Unqualified, bad timing", "new": "A=B; or so", "set": 'say "yes"'})
    assert shown == 'lost = Unqualified, bad timing\nnew = A=B; or so\nset = say "yes"'
