"""Usher's server. `app.py` puts the rooms together; the folders are the rooms."""

__version__ = "0.1.0"
