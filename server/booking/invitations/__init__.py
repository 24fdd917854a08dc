"""What people are told of a meeting: mails, invitations as iCalendar, links, and what calendar and CRM hear."""
