"""The commands as a person gives them: what they print, where errors go, how they end."""

from __future__ import annotations

import io
import json
import pkgutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module

import pytest

from server import cli, settings
from tests.processes import ROOT

SLOT_PROBLEM = {
    "now": "2026-01-01T00:00:00Z",
    "visitor_time_zone": "Europe/Paris",
    "range": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-03T00:00:00Z"},
    "meeting": {
        "duration_min": 30,
        "step_min": 30,
        "buffer_before_min": 0,
        "buffer_after_min": 15,
        "min_notice_min": 60,
    },
    "assignment": "round_robin",
    "reps": [
        {
            "id": "grace",
            "time_zone": "Europe/Berlin",
            "working_hours": [{"days": ["mon"], "start": "09:00", "end": "11:00"}],
            "busy": [["2026-03-02T09:00:00Z", "2026-03-02T09:20:00Z"]],
        }
    ],
}
ROTA_PROBLEM = {
    "policy": {"kind": "balanced"},
    "period": {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"},
    "reps": [{"id": "grace", "free": True}, {"id": "linus", "free": True}],
    "meetings": [{"rep": "grace", "assigned_at": "2026-03-02T00:00:00Z", "status": "booked"}],
}


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def usher(tmp_path, monkeypatch, capsys):
    """`usher("check", folder)`: the command's exit code and what it printed, on an empty database."""
    monkeypatch.setenv("USHER_DATABASE_URL", f"sqlite:///{tmp_path}/data/usher.db")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    settings.get.cache_clear()

    def run(*arguments, given=""):
        monkeypatch.setattr(sys, "argv", ["usher", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    yield run
    settings.get.cache_clear()


@pytest.fixture
def sample(usher, tmp_path):
    assert usher("init", tmp_path / "site").code == 0
    return tmp_path / "site"


def test_init_writes_a_folder_that_is_good_and_says_what_comes_next(usher, tmp_path):
    told = usher("init", tmp_path / "new")
    assert (told.code, told.err) == (0, "")
    assert "usher check" in told.out
    assert usher("check", "--no-tests", tmp_path / "new").code == 0


def test_init_never_writes_over_a_folder_that_holds_something(usher, sample):
    told = usher("init", sample)
    assert (told.code, told.out) == (1, "")
    assert told.err == f"{sample} is there already and not empty; name a new folder.\n"


def test_check_names_file_line_what_was_found_and_what_is_allowed(usher, sample):
    text = (sample / "team.yml").read_text()
    (sample / "team.yml").write_text(text.replace("zone: Europe/Helsinki", "zone: Europe/Helsinky"))
    line = text[: text.index("zone: Europe/Helsinki")].count("\n") + 1
    told = usher("check", sample)
    assert told.code == 1
    assert told.err.startswith(f"team.yml:{line}: reps[1].zone: ")
    assert 'did you mean "Europe/Helsinki"?' in told.err
    assert told.err.count("\n") == 1


def test_a_folder_with_faults_is_not_applied_and_the_old_version_stays(usher, sample):
    assert usher("apply", "--no-tests", sample).code == 0
    (sample / "site.yml").write_text("key: acme\nnmae: x\n")
    told = usher("apply", sample)
    assert told.code == 1
    assert 'did you mean "name"?' in told.err
    assert "active" in usher("versions").out


def test_versions_are_compared_rolled_back_and_exported(usher, sample, tmp_path):
    usher("apply", "--no-tests", sample)
    text = (sample / "site.yml").read_text()
    (sample / "site.yml").write_text(text.replace("agent_name: Ada", "agent_name: Eve"))
    assert "+  agent_name: Eve" in usher("diff", sample).out
    assert "version 2" in usher("apply", "--no-tests", "--note", "a new name", sample).out
    assert "+  agent_name: Eve" in usher("diff", 1, 2).out
    assert "version 1" in usher("rollback", 1).out
    assert usher("diff", sample).out.count("agent_name") == 2
    assert usher("export", tmp_path / "out").code == 0
    assert (tmp_path / "out" / "site.yml").read_text() == text
    assert usher("rollback", 9).err == "The site acme has no version 9; `usher versions` lists them.\n"


def test_snippet_prints_the_tag_and_the_pinned_one_names_the_present_build(usher, sample, tmp_path, monkeypatch):
    usher("apply", "--no-tests", sample)
    monkeypatch.setenv("USHER_PUBLIC_URL", "https://usher.example.com/")
    monkeypatch.setenv("USHER_ASSETS_DIR", str(tmp_path))
    (tmp_path / "manifest.json").write_text('{"pinned": {"file": "pinned-0123456789.js", "sri": "sha384-abc"}}')
    settings.get.cache_clear()
    assert usher("snippet").out == '<script async src="https://usher.example.com/w.js" data-site="acme"></script>\n'
    assert usher("snippet", "--pinned").out == (
        '<script async src="https://usher.example.com/assets/pinned-0123456789.js" integrity="sha384-abc" crossorigin'
        ' data-site="acme"></script>\n'
    )


def test_a_folder_whose_own_tests_fail_is_not_applied(usher, sample):
    for old in (sample / "tests").iterdir():
        old.unlink()
    wrong = "tests:\n  - {name: wrong, at: 2026-03-02T09:00:00Z, page: /pricing, steps: [{bot: never said}]}\n"
    (sample / "tests" / "wrong.yml").write_text(wrong)
    told = usher("apply", sample)
    assert told.code == 1
    assert "tests/wrong.yml" in told.err
    assert "Nothing was applied" in told.err
    assert usher("versions").code == 1


def test_a_user_is_added_once_and_the_password_made_is_shown_once(usher):
    told = usher("user", "add", "ida@acme.example", "--role", "owner")
    assert (told.code, "Password: " in told.out) == (0, True)
    assert usher("user", "add", "IDA@acme.example", "--role", "owner").code == 1
    given = usher("user", "add", "eve@acme.example", "--password-stdin", given="correct horse battery\n")
    assert "correct horse" not in given.out + given.err


def test_a_key_for_signed_in_visitors_is_made_listed_and_revoked(usher, sample):
    usher("apply", "--no-tests", sample)
    made = usher("identity-key", "add", "acme").out
    key, secret = made.split()[1], made.splitlines()[-1]
    assert len(secret) == 43
    listed = usher("identity-key", "list", "acme").out
    assert key in listed
    assert "valid" in listed
    assert secret not in listed
    assert usher("identity-key", "revoke", "acme", key).out == f"Key {key} is revoked.\n"
    assert "revoked" in usher("identity-key", "list", "acme").out
    again = usher("identity-key", "revoke", "acme", key)
    assert (again.code, again.err) == (1, "This key has been revoked before.\n")
    unknown = usher("identity-key", "revoke", "acme", "idk_1")
    assert unknown.code == 1
    assert "has no key idk_1" in unknown.err


def test_slots_and_pick_answer_as_the_form_says(usher, tmp_path):
    (tmp_path / "slots.json").write_text(json.dumps(SLOT_PROBLEM))
    (tmp_path / "pick.json").write_text(json.dumps(ROTA_PROBLEM))
    starts = ["2026-03-02T08:00:00Z", "2026-03-02T09:30:00Z"]
    assert json.loads(usher("slots", tmp_path / "slots.json").out) == {"slots": starts, "count": 2}
    told = usher("slots", "--who", "--repeat", 3, tmp_path / "slots.json")
    assert json.loads(told.out)["reps"] == {start: ["grace"] for start in starts}
    assert told.err.startswith("median of 3: ")
    assert json.loads(usher("pick", tmp_path / "pick.json").out)["pick"] == "linus"


def test_pick_says_whose_turn_it_is_in_a_pool_of_the_site_and_writes_nothing(usher, tmp_path):
    usher("init", "acme")
    usher("apply", "acme", "--no-tests")
    asked = usher("pick", "--site", "acme", "--pool", "enterprise", "--next", "3")
    assert json.loads(asked.out)["next"] == ["grace", "linus", "grace"]
    assert usher("pick", "--site", "acme", "--pool", "enterprise", "--next", "3").out == asked.out
    assert usher("pick", "--site", "acme", "--pool", "none").code == 1
    assert "Give a FILE" in usher("pick", "--site", "acme").err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["dance"], 2),
        (["check"], 2),
        (["serve", "--port", "99999"], 2),
        (["user", "add", "x@acme.example", "--role", "king"], 2),
        (["check", "nowhere"], 1),
        (["slots", "nowhere.json"], 2),
        (["export", "out"], 1),
        (["rollback", "1"], 1),
    ],
)
def test_what_goes_wrong_is_one_sentence_on_stderr(usher, arguments, code):
    told = usher(*arguments)
    assert (told.code, told.out) == (code, "")
    assert told.err.strip()
    assert told.err.count("\n") == 1
    assert "Traceback" not in told.err


def test_slots_refuses_what_is_no_problem(usher, tmp_path):
    for text in ("no json", "{}", "[" * 100_000, '{"now": 3}'):
        (tmp_path / "bad.json").write_text(text)
        told = usher("slots", tmp_path / "bad.json")
        assert told.code == 1
        assert told.err.count("\n") == 1


def test_doctor_says_what_is_missing_and_fails(usher):
    told = usher("doctor")
    assert told.code == 1
    assert "FAULT database" in told.out
    usher("user", "add", "ida@acme.example", "--role", "owner")
    told = usher("doctor")
    assert "ok database" in told.out
    assert "FAULT sites: none" in told.out
    assert "FAULT mail: not set up" in told.out


def test_every_command_is_in_the_file_where_it_is_looked_for():
    rooms = {room.name: import_module(f"server.cli.{room.name}") for room in pkgutil.iter_modules(cli.__path__)}
    offered = {command.name: name for name, room in rooms.items() for command in getattr(room, "COMMANDS", ())}
    assert offered == cli.ROOMS


def test_what_is_refused_at_once_loads_no_library_that_it_does_not_need():
    refused = "import sys; sys.argv = ['usher', 'serve', '--port', 'x']; from server.cli import main\n"
    refused += "try: main()\nexcept SystemExit: print({'sqlalchemy', 'flask', 'gevent'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", refused], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout == "set()\n", done.stderr
