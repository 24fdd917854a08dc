"""Whom to book with: the visitor's owner first where there is one; who else, when he has no time soon enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from server import clock, events, ids
from server.booking import service as booking
from server.booking.service import Meeting, SlotList
from server.config.version import Version
from server.errors import Invalid, NotFound, SlotTaken
from server.playbooks import routes
from server.routing import service as routing

if TYPE_CHECKING:
    from server.playbooks.turn import Turn

LOOK_AHEAD = timedelta(days=60)
Party = tuple[str, str]  # ("rep", id) or ("pool", id); the pool "" is the meeting type's own


@dataclass(frozen=True)
class Whose:
    """Whose times are offered: the first party's, and those of further ones beside it. `passed_over`: the owner, when
    others meet the visitor instead. `moves`: the meeting that is being moved, which does not stand in its own way."""

    parties: tuple[Party, ...]
    passed_over: str = ""
    moves: str = ""

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Whose:
        return cls(tuple((kind, name) for kind, name in kept["parties"]), kept["passed_over"], kept["moves"])

    @property
    def pool(self) -> str:
        """The pool, where it is one alone."""
        return self.parties[0][1] if self.parties[0][0] == routing.POOL and len(self.parties) == 1 else ""

    def token(self, site_id: str) -> str:
        """What a browser shows to see more of the same times; "" where naming the meeting and the pool does."""
        plain = self.parties[0][0] == routing.POOL and len(self.parties) == 1 and not self.moves
        return "" if plain else ids.sign(_PURPOSE, [site_id, asdict(self)])


_PURPOSE = "whose-times"


def of(turn: Turn) -> Whose:
    """Whose times this step offers: those of who has the meeting that is moved, else whom routing found."""
    step = turn.memory.step
    if "who" in step:
        pool, reps = step["who"].get("pool"), step["who"].get("reps")
        return Whose(((routing.POOL, pool) if pool else (routing.REP, reps[0]),), moves=step.get("moves", ""))
    kept = step.get("whose", {}).get(step["meeting"])
    return Whose.of_json(kept) if kept else decide(turn)


def of_token(version: Version, token: str) -> Whose:
    """What `token` stands for; Invalid when it was tampered with or is another site's."""
    try:
        site_id, kept = ids.unsign(_PURPOSE, token)
    except NotFound:
        site_id, kept = "", {}
    if site_id != version.site_id:
        raise Invalid("`with` is not one that the chat has given.", field="with")
    return Whose.of_json(kept)


def decide(turn: Turn) -> Whose:
    """The owner, unless he has nothing soon enough and somebody else has something sooner. A change of who it is goes
    into the diary with what was looked at."""
    kind, target = routes.where(turn)
    found = Whose(((kind, target) if kind in (routing.REP, routing.POOL) else (routing.POOL, ""),))
    routed = turn.memory.routed or {}
    if kind == routing.REP and routed.get("otherwise"):
        found = _within(turn, found, Whose((tuple(routed["otherwise"]),), passed_over=target))
    turn.memory.step.setdefault("whose", {})[turn.memory.step["meeting"]] = asdict(found)
    return found


def sooner(turn: Turn) -> bool:
    """The visitor wants it sooner: offer the others' times beside the owner's. False when the rule does not fall
    through, or they are on offer already."""
    now, routed = of(turn), turn.memory.routed or {}
    falls = routed.get("otherwise") and routed.get("within_hours")
    if not falls or now.moves or now.parties != ((routing.REP, routed["target"]),):
        return False
    both = replace(now, parties=(*now.parties, tuple(routed["otherwise"])))
    turn.memory.step.setdefault("whose", {})[turn.memory.step["meeting"]] = asdict(both)
    return True


def starts(
    tx: Connection,
    version: Version,
    whose: Whose,
    *,
    meeting: str,
    start: datetime,
    end: datetime,
    zone: str,
    limit: int | None = None,
) -> SlotList:
    """Open times of all parties together. Parties that are nobody any more have none; NotFound and Invalid when the
    only one is."""
    if whose.moves:
        moved = booking.takers(tx, version, booking.get(tx, whose.moves, version.site_id))
        return booking.open_times(
            tx, version, moved, start=start, end=end, zone=zone, limit=limit, exclude_meeting=whose.moves
        )
    found = []
    for party in whose.parties:
        try:
            found.append(
                booking.slots(
                    tx, version, meeting=meeting, start=start, end=end, zone=zone, limit=limit, **_asked(party)
                )
            )  # fmt: skip
        except (Invalid, NotFound):
            if len(whose.parties) == 1:
                raise
    return _together(found) if len(found) != 1 else found[0]


def mark(tx: Connection, version: Version, whose: Whose, meeting: str) -> str:
    """Stays the same while the open times of all parties do."""
    return "".join(booking.fingerprint(tx, version, meeting=meeting, **_asked(party)) for party in whose.parties)


def hold(tx: Connection, version: Version, whose: Whose, **about: Any) -> Meeting:
    """Hold with the first party that can; SlotTaken as the first refused it when none can."""
    refused: SlotTaken | None = None
    for number, party in enumerate(whose.parties):
        over = whose.parties[0][1] if number else whose.passed_over
        asked = _asked(party)
        rep = next(iter(asked.get("reps", ())), None)
        try:
            return booking.hold(tx, version, pool=asked.get("pool"), rep=rep, passed_over=over, **about)
        except SlotTaken as taken:
            refused = refused or taken
    raise refused or SlotTaken("There is nobody to meet.")


def _within(turn: Turn, owner: Whose, others: Whose) -> Whose:
    routed = turn.memory.routed or {}
    hours, now = routed.get("within_hours"), clock.now()
    his = _first(turn, owner)
    if his is not None and (hours is None or his <= now + timedelta(hours=hours)):
        return owner
    theirs = _first(turn, others)
    passed_over = theirs is not None and (his is None or theirs < his)
    _record(turn, owner, others, his, theirs, passed_over)
    return others if passed_over else owner


def _first(turn: Turn, whose: Whose) -> datetime | None:
    """The first open start; None for nobody, nothing, or a calendar that is silent."""
    meeting, now = turn.memory.step["meeting"], clock.now()
    try:
        found = starts(
            turn.tx, turn.version, whose, meeting=meeting, start=now, end=now + LOOK_AHEAD, zone=turn.zone, limit=1
        )
    except (Invalid, NotFound):
        return None
    return next(iter(found.starts), None)


def _record(
    turn: Turn, owner: Whose, others: Whose, his: datetime | None, theirs: datetime | None, passed_over: bool
) -> None:
    """Why the owner was passed over, or not: his first free time, theirs, and what the rule asked for."""
    routed = turn.memory.routed or {}
    chosen, hours = (others if passed_over else owner).parties[0], routed.get("within_hours")
    wanted = f"a free time within {hours} hours" if hours else "a free time"
    looked_at = [
        {"name": owner.parties[0][1], "answer": "no", "because": wanted, "saw": {"first_free": _written(his)}},
        {
            "name": others.parties[0][1] or "the meeting's own pool",
            "answer": "yes" if passed_over else "no",
            "because": "has an earlier one",
            "saw": {"first_free": _written(theirs)},
        },
    ]
    reason = f"{owner.parties[0][1]} has no free time {f'in the next {hours} hours' if hours else 'at all'}"
    turn.note(
        events.LEAD_ROUTED,
        actor=events.BOT,
        trigger=str(routed.get("rule", "")),
        reason=reason if passed_over else f"{reason}, nobody else has one sooner",
        data={"kind": chosen[0], "target": chosen[1], "passed_over": owner.parties[0][1] if passed_over else ""},
        trace={"decision": "routing", "chosen": f"{chosen[0]} {chosen[1]}", "looked_at": looked_at},
    )


def _written(at: datetime | None) -> str:
    return at.isoformat() if at else "none"


def _asked(party: Party) -> dict[str, Any]:
    kind, name = party
    return {"reps": [name]} if kind == routing.REP else {"pool": name or None}


def _together(found: list[SlotList]) -> SlotList:
    first = found[0]
    silent = {rep: why for one in found for rep, why in one.silent.items()}
    dates = [one.next_from for one in found if one.next_from]
    merged = sorted({start for one in found for start in one.starts})
    return SlotList(first.meeting, first.zone, tuple(merged), min(dates, default=None), silent)
