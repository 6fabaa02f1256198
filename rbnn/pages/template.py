"""Jinja environments of the pages: a room's own templates, and the style that all pages share."""

from __future__ import annotations

import jinja2


def environment(package: str, *, autoescape: bool) -> jinja2.Environment:
    """Templates of a package, and those of :mod:`rbnn.pages`.

    Args:
        package: that has a folder ``templates``.
        autoescape: for HTML.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader(package, "templates"),
                jinja2.PackageLoader("rbnn.pages", "templates"),
            ]
        ),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
