"""Every part of the site folder with what it checks against the other parts: the whole list."""

from __future__ import annotations

from collections.abc import Iterator

from server.alerts.schema import Alerts, check_alerts
from server.booking.schema import Meetings, check_meetings
from server.config.problems import Problem, unknown_name
from server.config.version import Section, Version
from server.knowledge.schema import Article, Synonyms, languages_are_spoken
from server.playbooks.checks import check_playbooks
from server.playbooks.schema import Playbook
from server.playbooks.stories import Stories
from server.routing.checks import check_routing, check_segments, check_team
from server.routing.schema import Routing, Segments
from server.routing.team import Team
from server.sync.schema import Crm


def check_stories(version: Version) -> list[Problem]:
    """The playbook, the queue and the criteria that a test names exist."""
    return list(_lost_in_stories(version))


SECTIONS = (
    Section(Team, check_team),
    Section(Meetings, check_meetings),
    Section(Segments, check_segments),
    Section(Routing, check_routing),
    Section(Crm),
    Section(Alerts, check_alerts),
    Section(Playbook, check_playbooks),
    Section(Article, languages_are_spoken),
    Section(Synonyms),
    Section(Stories, check_stories),
)


def _lost_in_stories(version: Version) -> Iterator[Problem]:
    playbooks, team = version.part(Playbook), version.part(Team)
    takers = [*team.pools_by_id, *team.queues_by_id, *team.reps_by_id]
    criteria = [criterion.id for criterion in version.part(Segments).criteria]
    for name, stories in version.part(Stories).items():
        for number, story in enumerate(stories.tests):
            named = [
                ("playbook", story.playbook, playbooks, "a playbook"),
                ("queue", story.queue, takers, "a pool, queue or rep"),
                *((("answers", one), one, criteria, "a criterion of the framework") for one in story.answers),
            ]
            for key, found, known, kind in named:
                if found and found not in known:
                    where = (*("tests", number), *(key if isinstance(key, tuple) else (key,)))
                    yield version.problem(f"tests/{name}.yml", where, unknown_name(found, known, kind))
