"""Draws the pictures of the example shop: `python examples/make_pictures.py`.

Reads `pictures.toml` beside it and writes `shop/media/*.svg`; the same shapes always give the same
files. Knows nothing about products.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEDIA = HERE / "shop" / "media"
_SIDE = 240


def pictures() -> Iterator[tuple[str, str]]:
    """Name and SVG text of every picture, in file order.

    Raises KeyError for a colour that has no entry, ValueError for a shape that is not known.
    """
    data = tomllib.loads((HERE / "pictures.toml").read_text(encoding="utf-8"))
    colours, tints = data.pop("colours"), data.pop("tints")
    for name, picture in data.items():
        shapes = [_shape(line, colours) for line in picture["shapes"].strip().splitlines()]
        ground = f'<rect width="{_SIDE}" height="{_SIDE}" rx="36" fill="{tints[picture["tint"]]}"/>'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}">'
        yield name, "\n".join([head, ground, *shapes, "</svg>"]) + "\n"


def _shape(line: str, colours: Mapping[str, str]) -> str:
    kind, name, rest = line.split(maxsplit=2)
    colour = colours[name]
    if kind == "p":
        return f'<path fill="{colour}" d="{rest}"/>'
    if kind == "l":
        width, path = rest.split(maxsplit=1)
        return (
            f'<path fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-linecap="round" stroke-linejoin="round" d="{path}"/>'
        )
    figures = rest.split()
    if kind == "r":
        x, y, width, height, *corner = figures
        rounded = f' rx="{corner[0]}"' if corner else ""
        return f'<rect x="{x}" y="{y}" width="{width}" height="{height}"{rounded} fill="{colour}"/>'
    if kind == "e":
        cx, cy, rx, *ry = figures
        return f'<ellipse cx="{cx}" cy="{cy}" rx="{rx}" ry="{(ry or [rx])[0]}" fill="{colour}"/>'
    raise ValueError(f"no shape is called {kind!r}: {line}")


def main() -> None:
    """Write every picture."""
    MEDIA.mkdir(parents=True, exist_ok=True)
    for name, text in pictures():
        (MEDIA / f"{name}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
