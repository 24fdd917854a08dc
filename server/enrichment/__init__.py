"""Asks the site's enrichment adapters about people and companies, and keeps what they say with its origin."""
