"""Nobody blanks a standard test: not in the class, not in a class between, not later, not at collecting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plugins.quality import Quality, Tier, merged
from plugins.testing import CalendarConformance, CRMConformance

MINE = """
    import pytest
    from tests.plugins.testing.ledger import LedgerConformance

    class TestMine(LedgerConformance):
        no_http = "for this test only"
"""
PROOF = "test_what_is_no_email_is_refused_by_field"


def test_a_test_that_is_set_to_nothing_is_refused():
    with pytest.raises(TypeError, match="test_check_succeeds_with_good_settings replaces a test of Conformance"):
        type("TestMine", (CRMConformance,), {"test_check_succeeds_with_good_settings": None})


def test_a_test_that_is_replaced_below_a_class_in_between_is_refused():
    class Between(CalendarConformance):
        pass

    with pytest.raises(TypeError, match="xfail"):

        class TestMine(Between):
            def test_busy_times_are_merged_clipped_and_in_order(self) -> None:
                pass


def test_a_class_that_comes_first_and_brings_a_test_of_that_name_is_refused():
    class Blank:
        def test_what_is_no_email_is_refused_by_field(self) -> None:
            pass

    with pytest.raises(TypeError, match=PROOF):
        type("TestMine", (Blank, CRMConformance), {})


@pytest.mark.parametrize("mark", [pytest.mark.skip("no time"), pytest.mark.xfail(reason="no time"), [pytest.mark.skip]])
def test_a_class_that_is_given_up_as_a_whole_is_refused(mark: Any):
    with pytest.raises(TypeError, match="as a whole"):
        type("TestMine", (CRMConformance,), {"pytestmark": mark})


def test_a_standard_test_may_be_expected_to_fail_for_a_reason():
    class TestMine(CRMConformance):
        @pytest.mark.xfail(reason="the service has no cursor")
        def test_changes_continue_where_the_cursor_stood(self) -> None:
            pass

    assert TestMine

    with pytest.raises(TypeError, match="xfail"):

        class TestOther(CRMConformance):
            @pytest.mark.xfail
            def test_changes_continue_where_the_cursor_stood(self) -> None:
                pass


def test_what_is_taken_away_later_or_at_collecting_is_seen(pytester_of_kit, tmp_path: Path):
    gone, blank = "test_list_goes_on_after_an_id", "test_an_expected_value_guards_the_write"
    (tmp_path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        f"    items[:] = [one for one in items if one.name != {gone!r} or 'TestGone' not in one.nodeid]\n"
    )
    done = pytester_of_kit(
        f"""
        import pytest
        from plugins.records import MemoryRecords
        from plugins.testing import RecordsConformance

        class TestWhole(RecordsConformance):
            @pytest.fixture
            def records(self):
                return MemoryRecords()

        class TestGone(TestWhole):
            pass

        class TestBlank(TestWhole):
            pass

        TestBlank.{blank} = lambda self: None
        """
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.split("::")[1] for line in failed] == ["TestGone", "TestBlank"]
    assert all("test_no_standard_test_was_taken_away" in line for line in failed)


def test_a_report_says_what_was_held_left_out_exempt_and_expected_to_fail(pytester_of_kit, tmp_path: Path):
    """And one that is out of date fails the run."""
    package = tmp_path / "acme"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "crm.py").write_text("from tests.plugins.testing.ledger import Ledger as L\nclass Ledger(L): pass\n")
    text = f"""{MINE}
        from acme.crm import Ledger as adapter

        @pytest.mark.xfail(reason="the ledger takes anything")
        def {PROOF}(self):
            assert False
    """
    paths = {"PYTHONPATH": f"{Path(__file__).parents[3]}:{tmp_path}"}
    assert pytester_of_kit(text, module="plugins.testing.quality", **paths).returncode == 0
    [file] = package.rglob("*.json")
    assert file.relative_to(package) == Path("quality/crm.ledger.json")
    report = json.loads(file.read_text())
    found = merged(report)
    assert found.tier is Tier.BRONZE
    assert found.failing == {"what is no email is refused by field": "the ledger takes anything"}
    assert "upserting a person twice keeps one record" in found.done
    assert (
        found.exempt["a slow answer is not waited for and what was done meanwhile is not done twice"]
        == "no HTTP: for this test only"
    )
    report["test_mine.TestMine"]["done"].remove("upserting a person twice keeps one record")
    file.write_text(json.dumps(report))
    stale = pytester_of_kit(text, **paths)
    assert "crm.ledger.json is out of date for test_mine.TestMine" in stale.stdout
    red = f"{text}\n        def test_of_mine(self): assert False\n"
    failing = pytester_of_kit(red, module="plugins.testing.quality", **paths)
    assert "TestMine: no report was written, because tests of it failed" in failing.stdout


ACME = """
    import pytest
    from acme.crm import Ledger
    from tests.plugins.testing.ledger import LedgerConformance

    class TestMine(LedgerConformance):
        adapter = Ledger
        no_http = "for this test only"
"""
FOUND = "a person is found by email in any case"
GUARD = "test_no_standard_test_was_taken_away"


@pytest.fixture
def tier_of(pytester_of_kit: Any, tmp_path: Path) -> Any:
    """The quality after a run of a package's tests with this `conftest.py` and `pytest.ini`, and what pytest said."""
    package = tmp_path / "acme"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "crm.py").write_text("from tests.plugins.testing.ledger import Ledger as L\nclass Ledger(L): pass\n")

    def run(text: str = ACME, conftest: str = "", ini: str = "") -> tuple[Quality, str]:
        (tmp_path / "conftest.py").write_text(conftest)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
        paths = {"PYTHONPATH": f"{Path(__file__).parents[3]}:{tmp_path}"}
        done = pytester_of_kit(text, module="plugins.testing.quality", **paths)
        files = list(package.rglob("*.json"))
        return merged(json.loads(files[0].read_text()) if files else {}), done.stdout

    return run


def test_a_row_that_is_dropped_at_collecting_is_seen(tier_of: Any):
    drop = "def pytest_collection_modifyitems(items):\n    items[:] = [one for one in items if {} not in one.name]\n"
    found, said = tier_of(conftest=drop.format("'GLOBEX'"))
    assert f"{GUARD} - " in said
    assert found.tier is Tier.UNPROVEN
    both = drop.format("'GLOBEX'") + f"    items[:] = [one for one in items if one.name != {GUARD!r}]\n"
    found, _ = tier_of(conftest=both)
    assert found.tier is Tier.SILVER
    assert found.left_out["case and blanks do not make another person"] == "1 of 3 were not tried"


def test_what_somebody_else_skips_is_left_out_also_in_words_of_the_kit(tier_of: Any):
    skip = """
import pytest
from plugins.testing.guard import exempt
def pytest_runtest_setup(item):
    if "any_case" in item.name: pytest.skip("nothing is written")
    if "no_email" in item.name: exempt("ledger does not declare activity")
    if "GLOBEX" in item.name: pytest.skip("nothing is written")
"""
    found, _ = tier_of(conftest=skip)
    assert found.tier is Tier.SILVER
    assert found.left_out == {
        FOUND: "skipped by the author: nothing is written",
        "what is no email is refused by field": "ledger does not declare activity",
        "case and blanks do not make another person": "skipped by the author: nothing is written",
    }


def test_a_test_that_says_it_is_the_kits_own_is_seen(tier_of: Any):
    forged = """
    def forged(self): pass
    forged.__module__ = "plugins.testing.crm"
    TestMine.test_what_is_no_email_is_refused_by_field = forged
    """
    found, said = tier_of(ACME + forged)
    assert f"{GUARD} - " in said
    assert found.tier is Tier.UNPROVEN


def test_a_class_that_says_it_is_the_kits_own_is_refused():
    with pytest.raises(TypeError, match=PROOF):
        type("CRM", (CRMConformance,), {"__module__": "plugins.testing.crm", PROOF: lambda self: None})


def test_another_test_that_runs_in_the_place_of_one_is_seen(tier_of: Any):
    swap = """
def pytest_runtest_setup(item):
    if "any_case" in item.name: item.obj = lambda subject: None
"""
    assert tier_of(conftest=swap)[0].failing == {FOUND: "another test ran in its place"}


@pytest.mark.parametrize("name", ["_declared", "_no_foreign_network", "_recorded", "_writes", "failing"])
def test_what_the_tests_stand_on_cannot_be_replaced(name: str):
    with pytest.raises(TypeError, match=f"{name} replaces what the tests of"):
        type("TestMine", (CRMConformance,), {name: pytest.fixture(autouse=True)(lambda self: None)})


def test_what_a_projects_own_settings_choose_is_left_out(tier_of: Any):
    found, said = tier_of(ini="addopts = -k 'not any_case'")
    assert f"{GUARD} - " in said
    assert found.tier is Tier.UNPROVEN
    found, _ = tier_of(ini="addopts = -k 'not any_case and not taken_away'")
    assert found.tier is Tier.SILVER
    assert found.left_out[FOUND] == "1 of 1 were not tried"


@pytest.mark.parametrize(
    ("quality", "tier"),
    [
        (Quality(), Tier.UNPROVEN),
        (Quality(done=("a",), exempt={"b": "no such thing"}), Tier.GOLD),
        (Quality(done=("a",), left_out={"b": "no fake"}), Tier.SILVER),
        (Quality(done=("a",), left_out={"b": "no fake"}, failing={"c": "a bug"}), Tier.BRONZE),
    ],
)
def test_the_tier_is_that_of_the_worst(quality: Quality, tier: Tier):
    assert quality.tier is tier


def test_a_rule_held_in_one_run_is_held_and_one_that_fails_in_one_fails():
    one = {"done": ["a"], "left_out": {"b": "no fake"}, "exempt": {"c": "none"}, "failing": {}}
    other = {
        "done": ["b"],
        "left_out": {},
        "exempt": {"c": "none"},
        "failing": {"a": "a bug"},
        "said": {"no keys": "x"},
    }
    found = merged({"one": one, "other": other})
    assert (found.done, found.failing, found.exempt, found.left_out) == (("b",), {"a": "a bug"}, {"c": "none"}, {})
    assert found.said == {"no keys": "x"}
