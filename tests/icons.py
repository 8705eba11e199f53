"""Draws the icons of the installable pages from `mamori.svg`, in Chromium: ``python -m tests.icons``."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from web_ui.shell import FOLDER, ICONS, icon

PAPER = "#e9eef2"
"""Behind a maskable icon: the ground of the pages, before which the shield is seen."""

SAFE = 0.62
"""Share of a maskable icon that no launcher cuts off, less a margin (the W3C's safe zone is a circle of 80 %)."""


def draw(folder: Path) -> None:
    """Write every icon into the folder of static files."""
    svg = (folder / "mamori.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--headless", "--no-sandbox"])
        for size, purpose in ICONS:
            masked = purpose == "maskable"
            inner = round(size * (SAFE if masked else 1))
            page = browser.new_page(viewport={"width": size, "height": size})
            style = (
                f"margin:0;block-size:{size}px;display:grid;place-items:center;background:{PAPER if masked else 'none'}"
            )
            drawn = svg.replace("<svg ", f"<svg width={inner} height={inner} ", 1)
            page.set_content(f'<body style="{style}">{drawn}')
            page.screenshot(path=folder / icon(size, purpose), omit_background=not masked)
            page.close()
        browser.close()


if __name__ == "__main__":
    draw(FOLDER / "static")
