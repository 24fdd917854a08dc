"""Leads (people), accounts (companies), what we know of them and from where, and who owns them."""
