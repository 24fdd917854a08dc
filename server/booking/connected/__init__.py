"""Calendars that reps have connected: read ahead, read again before a meeting is booked, and followed afterwards."""
