"""Editable installs read everything from setup.cfg."""
from setuptools import setup

setup()
