"""Rooms: their stores and tables are private, and each thing the house does once is done in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.source import calls, functions, imports, kept_files, python_files, text

PRIVATE = ("store", "tables")
# Who may load a room's tables: the metadata has to be whole somewhere.
SEES_ALL_TABLES = {"server/db/migrations/env.py", "server/db/metadata.py", "server/db/migrate.py"}
HIDES_IMPORTS: dict[str, str] = {
    "plugins/calendar/google/api.py": "listing adapters and their settings must not pay for Google's library",
    "plugins/calendar/google/sign_in.py": "only service accounts need it",
}
READS_ENVIRONMENT = {
    "server/settings.py": "it is the reader",
    "server/cli/terminal.py": "who typed the command is named in the version's author",
    "demo/run.py": "it passes the environment on to the servers it starts",
}
KNOWS_THE_TIME = {
    "server/clock.py": "it is the clock",
    "plugins/http.py": "the clock is a parameter; this is its default",
    "plugins/notify/message.py": "the Date line of a mail is the moment of sending",
    "plugins/crm/builtin.py": "its log of changes says when",
    "plugins/inbox/imap.py": "the first days to read are counted from the mail server's today",
}
CALLS_OUT = (
    "plugins/http.py",  # the one way out
    "plugins/addresses.py",  # how its connections are made
    "plugins/sessions.py",  # which of them stay open
    "plugins/testing/",  # adapter authors' tools
    "demo/run.py",  # asks its own two servers whether they are up
)
WEB_CLIENTS = ("requests", "urllib.request", "httpx", "http.client", "aiohttp")


def test_a_store_is_imported_by_its_own_room_only():
    strangers = []
    for file in python_files("server", "plugins", "demo"):
        room = file.parts[1] if len(file.parts) > 2 else ""
        for line, name in imports(file):
            found = re.match(rf"server\.(\w+)\.({'|'.join(PRIVATE)})\b", name)
            if found and found[1] != room and str(file) not in SEES_ALL_TABLES:
                strangers.append(f"{file}:{line}: {name}")
    assert not strangers


def test_no_import_hides_inside_a_function():
    hiding = {str(file) for file in python_files("server", "plugins", "demo") if _lines_of_inner_imports(file)}
    assert hiding == set(HIDES_IMPORTS)


def test_only_the_settings_read_the_environment():
    readers = {
        str(file)
        for file in python_files("server", "plugins", "demo")
        for _, name in calls(file)
        if name in {"os.environ", "os.getenv", "os.environb"}
    }
    assert readers == set(READS_ENVIRONMENT)


def test_only_the_clock_knows_the_time():
    asking = re.compile(r"^(datetime\.(now|utcnow|today)|date\.today|time\.time|dt\.datetime\.now|dt\.date\.today)$")
    askers = {str(file) for file in python_files("server", "plugins") for _, name in calls(file) if asking.match(name)}
    fakes = {file for file in askers if file.startswith("plugins/testing/")}  # services, which have clocks of their own
    assert askers - fakes == set(KNOWS_THE_TIME)


def test_only_one_file_calls_the_outside_over_http():
    callers = {
        str(file)
        for file in python_files("server", "plugins", "demo")
        for _, name in imports(file)
        if name.split(".")[0] in {"requests", "httpx", "aiohttp"} or name in WEB_CLIENTS
    }
    assert not [one for one in callers if not one.startswith(CALLS_OUT)]


def test_plugins_know_nothing_of_the_server():
    assert not [
        f"{file}:{line}"
        for file in python_files("plugins")
        for line, name in imports(file)
        if name.split(".")[0] == "server"
    ]


def test_the_widget_writes_no_markup_from_strings():
    banned = re.compile(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\()")
    scripts = [file for file in kept_files() if file.parts[0] == "widget" and file.suffix == ".js"]
    assert scripts
    found = [
        f"{file}:{number}"
        for file in scripts
        for number, line in enumerate(text(file).splitlines(), 1)
        if banned.search(line)
    ]
    assert not found


def test_templates_bring_no_script_or_style_of_their_own():
    found = [
        f"{file}:{number}"
        for file in kept_files()
        if file.suffix == ".html" and file.parts[0] in {"server", "demo"} and "mail" not in file.stem
        for number, line in enumerate(text(file).splitlines(), 1)
        if re.search(r"""<script(?![^>]*\bsrc=)|\son\w+=["']|\sstyle=["']|javascript:""", line)
    ]
    assert not found


def _lines_of_inner_imports(file: Path) -> set[int]:
    inside = {node for function in functions(file) for node in ast.walk(function)}
    return {node.lineno for node in inside if isinstance(node, ast.Import | ast.ImportFrom)}
