"""The company website: five pages, the one script tag, a strict policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from demo.site import PAGES, create_site

USHER = "http://localhost:8000"


@pytest.fixture
def browser(tmp_path: Path) -> FlaskClient:
    return create_site(USHER, tmp_path).test_client()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_carries_the_script_tag_and_no_other_script(browser: FlaskClient, path: str):
    page = browser.get(path)
    tags = re.findall(r"<script[^>]*>", page.text)
    nonce = re.search(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"])
    assert page.status_code == 200
    assert nonce
    assert tags == [f'<script async src="{USHER}/w.js" data-site="acme" nonce="{nonce[1]}">']


@pytest.mark.parametrize("path", PAGES)
def test_a_page_allows_nothing_inline_and_talks_to_usher_only(browser: FlaskClient, path: str):
    page = browser.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "connect-src http://localhost:8000 ws://localhost:8000;" in policy
    assert not re.search(r"\sstyle=|\son\w+=", page.text)


def test_two_visits_get_two_nonces(browser: FlaskClient):
    assert browser.get("/").headers["Content-Security-Policy"] != browser.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_links_between_pages_lead_somewhere(browser: FlaskClient, path: str):
    for target, anchor in re.findall(r'href="(/[^"#]*)(?:#([\w-]+))?"', browser.get(path).text):
        found = browser.get(target)
        assert found.status_code == 200, target
        assert not anchor or f'id="{anchor}"' in found.text, f"{target}#{anchor}"


def test_articles_of_the_sample_folder_cite_places_that_exist(browser: FlaskClient):
    articles = (Path(__file__).resolve().parents[2] / "server" / "sample" / "knowledge").glob("*.md")
    urls = [re.search(r"(?m)^url: (\S+)$", article.read_text()) for article in articles]
    assert len(urls) >= 12
    for url in urls:
        assert url
        path, _, anchor = url[1].partition("#")
        page = browser.get(path)
        assert page.status_code == 200, path
        assert not anchor or f'id="{anchor}"' in page.text, url[1]
