"""Fixtures of the hall's browser tests."""

from manager_browser import manager, past

__all__ = ["manager", "past"]
