"""Booking: open times, holds, meetings, invitations. Who gets the meeting is decided by `server.routing`."""
