"""Meetings (a hold is one that is not confirmed), the cells that keep them apart, and what else makes a rep busy."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from server.db import Id, Json, UtcDateTime, metadata

meetings = Table(
    "meetings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("version_id", Id, nullable=False),
    Column("conversation_id", Id),
    Column("lead_id", Id),
    Column("type", String(60), nullable=False),  # id in meetings.yml
    Column("pool", String(60), nullable=False),  # "" when booked with one person
    Column("rep", String(60), nullable=False),  # the organiser
    Column("status", String(12), nullable=False),  # held | pending | booked | rescheduled | cancelled | done | no_show
    Column("start_at", UtcDateTime, nullable=False),
    Column("end_at", UtcDateTime, nullable=False),
    Column("held_until", UtcDateTime),
    Column("checked_at", UtcDateTime),  # when its hosts' connected calendars were read again for this very time
    Column("hold_key", String(200)),  # what makes a repeated hold the same hold
    Column("confirm_key", String(200)),
    Column("uid", String(200), nullable=False),  # of the invitation, for ever the same
    Column("sequence", Integer, nullable=False),
    Column("calendar_key", String(200), nullable=False),  # the delivery whose answer is the event as it is now
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False),
    Column("attendee", String(320)),  # the folded e-mail while the meeting is ahead: one person, one meeting at a time
    Column("phone", String(60), nullable=False),
    Column("place", String(12), nullable=False, server_default=""),  # video | phone | in_person; "" as the type says
    Column("passed_over", String(60), nullable=False, server_default=""),  # the owner who had no time soon enough
    Column("video_url", Text, nullable=False, server_default=""),  # which the calendar service made for it
    Column("guests", Json, nullable=False),
    Column("answers", Json, nullable=False),
    Column("replies", Json, nullable=False, server_default="{}"),  # {folded address: how they answered, see replies.py}
    Column("zone", String(60), nullable=False),  # of the visitor
    Column("locale", String(20), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("booked_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(20), nullable=False),
    Column("end_reason", Text, nullable=False),
    UniqueConstraint("site_id", "hold_key"),
    UniqueConstraint("site_id", "confirm_key"),
    UniqueConstraint("site_id", "attendee", "start_at"),
    Index("ix_meetings_held", "status", "held_until"),
    Index("ix_meetings_site", "site_id", "start_at"),
    Index("ix_meetings_conversation", "conversation_id"),
    Index("ix_meetings_lead", "lead_id"),
)

meeting_hosts = Table(
    "meeting_hosts",
    metadata,
    Column("meeting_id", Id, primary_key=True),
    Column("rep", String(60), primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("busy_from", UtcDateTime, nullable=False),  # start and end with the buffers around them
    Column("busy_until", UtcDateTime, nullable=False),
    Column("blocks", Boolean, nullable=False),  # false once cancelled
    Index("ix_meeting_hosts_rep", "site_id", "rep", "busy_until"),
)

# Five minutes of a rep's time. The primary key is what makes a double booking impossible, whatever the code above does.
cells = Table(
    "meeting_cells",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("rep", String(60), primary_key=True),
    Column("cell", BigInteger, primary_key=True, autoincrement=False),  # five-minute steps since 1970
    Column("meeting_id", Id, nullable=False),
    Index("ix_meeting_cells_meeting", "meeting_id"),
)

# One row per rep: locked by whoever books, its stamp changed by whatever makes the rep more or less busy.
rep_calendars = Table(
    "rep_calendars",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("rep", String(60), primary_key=True),
    Column("stamp", BigInteger, nullable=False),  # random: a number that was rolled back never comes again
)

# A rep's own times. Wall clock text (YYYY-MM-DDTHH:MM, seconds where there are any) in `zone`, so that a weekly nine
# o'clock stays nine o'clock when clocks change.
time_blocks = Table(
    "time_blocks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("rep", String(60), nullable=False),
    Column("kind", String(8), nullable=False),  # away | blocked | open
    Column("zone", String(60), nullable=False),
    Column("start_local", String(19), nullable=False),  # of the first time, or where the rule begins
    Column("end_local", String(19), nullable=False),
    Column("rule", Text, nullable=False),  # RRULE (RFC 5545); "" for once
    Column("ends_at", UtcDateTime),  # when it is over; null: never
    Column("title", String(200), nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_time_blocks_rep", "site_id", "rep", "ends_at"),
)

# What a connected calendar told when last read. A stale or failing one takes its rep out; it never counts as free.
busy_times = Table(
    "busy_times",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("rep", String(60), primary_key=True),
    Column("connection_id", Id, primary_key=True),  # through which it was read
    Column("calendar", String(200), primary_key=True),
    Column("spans", Json, nullable=False),  # [[start, end]] in whole UTC seconds
    Column("covers_from", UtcDateTime),
    Column("covers_until", UtcDateTime),
    Column("read_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("problem", Text, nullable=False),
)

# How far we have read what comes from outside: the change feed of a rep's calendar, the mailbox that answers come to.
reading_positions = Table(
    "reading_positions",
    metadata,
    Column("site_id", Id, primary_key=True),
    # "calendar:<rep>:<id at the service>", a rep's own "calendar:<rep>:<connection>:<id>" | "inbox"
    Column("source", String(260), primary_key=True),
    Column("position", Text, nullable=False),  # the service's own word for it; "" to begin anew
    Column("read_at", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("problem", Text, nullable=False),
)

# Services that call us when a calendar changes. They end by themselves and are renewed before.
calendar_watches = Table(
    "calendar_watches",
    metadata,
    Column("connection_id", Id, primary_key=True),
    Column("calendar", String(200), primary_key=True),
    Column("site_id", Id, nullable=False),
    Column("watch_id", String(200), nullable=False),  # the service's; "" when it refused
    Column("resource", Text, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("tried_at", UtcDateTime, nullable=False),
    Column("problem", Text, nullable=False),
    Index("ix_calendar_watches_site", "site_id"),
)
