"""A profile as a bar chart in plain text."""

from __future__ import annotations

from rbnn.device.profile import Profile

BAR_COLUMNS = 40


def profile_chart(profile: Profile) -> str:
    """One line per layer: number, operator, bar, share, counts, and counts per MAC if known.

    The longest bar has :data:`BAR_COLUMNS` marks; a layer with any counts has at least one.
    """
    mark = " (emulated)" if profile.unit == "instructions" else ""
    lines = [
        f"{profile.task} on {profile.board}: {profile.counts:,} {profile.unit}{mark} in one "
        "inference"
    ]
    largest = max((layer.counts for layer in profile.layers), default=0)
    names = max((len(layer.operator) for layer in profile.layers), default=0)
    figures = len(f"{largest:,}")
    for layer in profile.layers:
        marks = -(-layer.counts * BAR_COLUMNS // largest) if largest else 0
        rate = f"  {layer.per_mac:7.3f} per MAC" if layer.per_mac is not None else ""
        lines.append(
            f"{layer.layer:>2} {layer.operator:<{names}} {'#' * marks:<{BAR_COLUMNS}} "
            f"{layer.share:>6.1%} {layer.counts:>{figures},}{rate}"
        )
    return "\n".join(lines)
