"""Every adapter of ours has a report of the conformance kit, of the kit as it is now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugins import quality, registry, testing
from plugins.quality import Tier
from plugins.testing.guard import standard_tests

KITS = {
    "ai": testing.AIConformance,
    "calendar": testing.CalendarConformance,
    "crm": testing.CRMConformance,
    "enrichment": testing.EnrichmentConformance,
    "inbox": testing.InboxConformance,
    "marketing": testing.MarketingConformance,
    "notify": testing.NotifyConformance,
}
ON_OFFER = sorted(registry.BUILT_IN)


def test_every_kind_has_its_kit():
    assert set(KITS) == set(registry.CONTRACTS)


@pytest.mark.parametrize(("kind", "name"), ON_OFFER)
def test_every_adapter_has_a_report_of_every_rule(kind: str, name: str):
    """A report is written by `make quality`; whole runs of an adapter's tests hold it to what they find."""
    file = quality.place(kind, name, registry.BUILT_IN[kind, name])
    assert file is not None
    assert file.exists(), "run `make quality`"
    rules = {test.removeprefix("test_").replace("_", " ") for test in standard_tests(KITS[kind])}
    for run, told in json.loads(file.read_text()).items():
        stated = {rule for state in quality.STATES for rule in told[state]}
        assert stated == rules, f"{run}: run `make quality`"


@pytest.mark.parametrize(("kind", "name"), ON_OFFER)
def test_every_exception_has_its_reason_and_nothing_is_known_to_fail_untold(kind: str, name: str):
    found = quality.read(kind, name, registry.BUILT_IN[kind, name])
    assert found.tier is not Tier.UNPROVEN
    reasons = [*found.exempt.values(), *found.left_out.values(), *found.failing.values(), *found.said.values()]
    assert all(len(why.split()) > 1 for why in reasons)


def test_every_report_is_of_an_adapter_on_offer():
    [folder] = quality.__path__
    assert {file.stem for file in Path(folder).glob("*.json")} <= {f"{kind}.{name}" for kind, name in ON_OFFER}
