"""Adapters: everything Usher says to other people's services. Imports nothing of `server`."""
