"""What playbooks name in other files of the site folder must exist there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.booking.schema import Meetings
from server.config.problems import Problem, unknown_name
from server.config.version import Version
from server.knowledge.schema import Article
from server.playbooks.node import Node, Place
from server.playbooks.nodes.answer import Answer
from server.playbooks.nodes.ask import Ask
from server.playbooks.nodes.book import Book
from server.playbooks.nodes.handoff import Handoff
from server.playbooks.people import ROUTED
from server.playbooks.schema import Playbook
from server.routing.schema import Segments
from server.routing.team import Team

Named = tuple[Place, str, Iterable[str], str]


def check_playbooks(version: Version) -> list[Problem]:
    """Meetings, queues and criteria exist; who answers from the knowledge folder has one."""
    problems = []
    for name, playbook in version.part(Playbook).items():
        file = f"playbooks/{name}.yml"
        for number, node in enumerate(playbook.nodes):
            for place, found, known, kind in _named(version, node):
                if found not in set(known):
                    problems.append(version.problem(file, ("nodes", number, *place), unknown_name(found, known, kind)))
            if isinstance(node, Answer) and not version.part(Article):
                wrong = "found a question to answer, but there is no article in knowledge/"
                problems.append(version.problem(file, ("nodes", number, "answer"), wrong))
    return problems


def _named(version: Version, node: Node) -> Iterator[Named]:
    if isinstance(node, Book):
        meetings = version.part(Meetings).by_id
        yield ("book",), node.book, meetings, "a meeting of meetings.yml"
        for number, choice in enumerate(node.choices):
            yield ("choices", number), choice, meetings, "a meeting of meetings.yml"
    elif isinstance(node, Handoff):
        yield ("handoff",), node.handoff, [*version.part(Team).queues_by_id, ROUTED], "a queue of team.yml, or routed"
    elif isinstance(node, Ask) and node.criterion:
        criteria = [criterion.id for criterion in version.part(Segments).criteria]
        yield ("criterion",), node.criterion, criteria, "a criterion of the framework"
