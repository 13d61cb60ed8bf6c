"""A picture of what a command printed: one SVG file that asks for nothing from elsewhere."""

import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType
from rich.terminal_theme import TerminalTheme

from crashlab import store

WIDTH = 112
"""Columns of the recorded terminal."""
FONT = "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"
"""Fonts that are there already; Rich's own template loads one from another host."""
THEME = TerminalTheme(
    (24, 28, 33),
    (220, 225, 230),
    [(60, 68, 77), (255, 138, 128), (126, 211, 152), (240, 192, 96), (130, 180, 245), (210, 160, 240), (110, 205, 220),
     (220, 225, 230)],
    [(125, 135, 145), (255, 138, 128), (126, 211, 152), (240, 192, 96), (130, 180, 245), (210, 160, 240),
     (110, 205, 220), (255, 255, 255)],
)  # fmt: skip
"""Every colour has at least 4.5:1 contrast on the background, but for black."""
TEMPLATE = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: FONT; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
""".replace("FONT", FONT)


def svg(parts: Iterable[RenderableType], title: str) -> str:
    """Return the renderables as one SVG picture of a terminal, WIDTH columns wide."""
    console = Console(
        width=WIDTH, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    # Rich clips the last line, so there is an empty one.
    for part in (*parts, ""):
        console.print(part)
    return console.export_svg(title=title, theme=THEME, code_format=TEMPLATE, unique_id="t")


def write(path: Path, parts: Iterable[RenderableType], title: str) -> None:
    """Write the picture. Raises CrashlabError where the file cannot be written."""
    store.write_text(path, svg(parts, title))
