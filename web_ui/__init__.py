"""The pages supervisors, operators and administrators use."""

from __future__ import annotations

from web_ui.app import create_app

__all__ = ["create_app"]
