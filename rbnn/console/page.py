"""The page and its style. What is on it comes later, from ``api/state``."""

from __future__ import annotations

import functools

from rbnn import __version__
from rbnn.pages.web import environment
from rbnn.tasks.tree import MAX_FILE_BYTES


@functools.cache
def page() -> str:
    """The HTML page; the same for every board."""
    return _render("console_page.html.j2")


@functools.cache
def style() -> str:
    """Its style sheet."""
    return _render("console_style.css.j2")


def _render(name: str) -> str:
    template = environment("rbnn.console", autoescape=True).get_template(name)
    return template.render(version=__version__, most_bytes=MAX_FILE_BYTES)
