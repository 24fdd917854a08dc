"""Conversations and their messages: heard once, kept in order, seen by whoever is in them."""
