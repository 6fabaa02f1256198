"""Templates of a room's pages, which may include what all pages share."""

from __future__ import annotations

import jinja2


def environment(package: str, *, autoescape: bool) -> jinja2.Environment:
    """Where a room's templates are found, and after them those of ``rbnn/pages/templates``.

    Args:
        package: the room's, such as ``rbnn.report``; it has a folder ``templates``.
        autoescape: whether values are escaped for HTML.
    """
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(one, "templates") for one in (package, "rbnn.pages")]
        ),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
