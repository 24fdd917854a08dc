"""Playbooks: which one meets a visitor, what it says, asks and does after every message."""
