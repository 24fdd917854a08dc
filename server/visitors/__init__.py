"""Visitors, their sessions and page views, and where they came from. Nothing is stored before they act or consent."""
