"""Site versions on the desk: what changed, going back, taking one home."""

from __future__ import annotations

import io
import zipfile

import pytest

from server.config import service as config
from tests.console import story as told


@pytest.fixture
def second(db, story):
    """A version that changes a playbook and says something odd in it."""
    text = config.active(db, "acme").files["playbooks/pricing.yml"]
    changed = text.replace("priority: 30", "priority: 31") + "# <script>alert(1)</script>\n"
    return told.apply(db, "acme", "Sooner <b>", playbooks__pricing=changed)


def test_the_list_says_who_when_why_and_which_is_active(desk, second):
    page = desk("marketing").text("/versions")
    assert page.index("Version 2") < page.index("Version 1")
    assert page.count('<span class="chip good">Active</span>') == 1
    assert "Sooner &lt;b&gt;" in page
    assert "owner@acme.example" in page
    assert second.hash[:10] in page


def test_what_changed_is_shown_as_a_summary_and_line_by_line(desk, second):
    page = desk("marketing").text("/versions/acme/2")
    assert "playbooks/pricing.yml: priority" in page
    assert "<del>30</del>" in page
    assert "<ins>31</ins>" in page
    assert '<span class="minus">-priority: 30' in page
    assert '<span class="plus">+priority: 31' in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "priority: 31" in desk("marketing").text("/versions/acme/1?with=2")


def test_the_first_version_and_two_equal_ones_say_so(desk, second):
    marketing = desk("marketing")
    assert "This is the first version" in marketing.text("/versions/acme/1")
    assert "Nothing differs" in marketing.text("/versions/acme/2?with=2")


def test_going_back_makes_the_old_version_active_and_keeps_who_did_it(desk, db, second):
    marketing = desk("marketing")
    assert marketing.post("/versions/acme/1/rollback").status_code == 303
    assert "Version 1 of Acme Analytics is active again." in marketing.said()
    assert config.active(db, "acme").number == 1
    assert "Go back" not in desk("supervisor").text("/versions")


@pytest.mark.parametrize(
    "address", ["/versions/acme/9", "/versions/nobody/1", "/versions/acme/9.zip", "/versions/acme/1?with=9"]
)
def test_what_does_not_exist_is_not_found(desk, address):
    assert desk("owner").get(address).status_code == 404


def test_a_version_is_taken_home_as_the_folder_it_was(desk, db):
    answer = desk("supervisor").get("/versions/acme/1.zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="acme-1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        found = {name.removeprefix("acme-1/"): archive.read(name).decode() for name in archive.namelist()}
    assert found == config.active(db, "acme").files
    assert answer.data == desk("owner").get("/versions/acme/1.zip").data
