"""Turns the Lucide icons that the sources name into path data.

An icon is named as `icon="x"`, `icon: 'x'`, `name="x"` of an `<Icon>`, or in a comment `icons: x y z`. An unknown
name stops the build and suggests the near ones: Lucide renames icons between releases.
"""

import difflib
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
import zipfile

import lucide

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMED = re.compile(
    r"\bicon[:=]\s*\{?['\"]([a-z0-9-]+)['\"]|<Icon\s+name=['\"]([a-z0-9-]+)['\"]|/\* icons: ([a-z0-9 -]+) \*/"
)


def names() -> list[str]:
    found: set[str] = set()
    for path in sorted(ROOT.glob("**/*.ts*")):
        if {"node_modules", "generated"} & set(path.parts):
            continue
        for groups in NAMED.findall(path.read_text()):
            for part in groups:
                found.update(part.split())
    return sorted(found)


def path_data(element: ElementTree.Element, icon: str) -> str:
    tag = element.tag.split("}")[-1]
    get = element.attrib.get

    def number(key: str) -> float:
        return float(get(key, 0))

    if tag == "path":
        return element.attrib["d"]
    if tag in ("circle", "ellipse"):
        cx, cy = number("cx"), number("cy")
        rx = number("r") or number("rx")
        ry = number("r") or number("ry")
        return f"M{cx - rx:g} {cy:g}a{rx:g} {ry:g} 0 1 0 {2 * rx:g} 0a{rx:g} {ry:g} 0 1 0 {-2 * rx:g} 0"
    if tag == "line":
        return f"M{get('x1')} {get('y1')}L{get('x2')} {get('y2')}"
    if tag in ("polyline", "polygon"):
        points = re.findall(r"[-\d.]+[ ,]+[-\d.]+", element.attrib["points"])
        return "M" + "L".join(points) + ("Z" if tag == "polygon" else "")
    if tag == "rect":
        x, y, w, h, r = (number(key) for key in ("x", "y", "width", "height", "rx"))
        return (
            f"M{x + r:g} {y:g}h{w - 2 * r:g}a{r:g} {r:g} 0 0 1 {r:g} {r:g}v{h - 2 * r:g}"
            f"a{r:g} {r:g} 0 0 1 {-r:g} {r:g}h{-(w - 2 * r):g}a{r:g} {r:g} 0 0 1 {-r:g} {-r:g}"
            f"v{-(h - 2 * r):g}a{r:g} {r:g} 0 0 1 {r:g} {-r:g}z"
        )
    raise SystemExit(f"icon {icon}: a <{tag}> is not understood")


def main() -> None:
    archive = zipfile.ZipFile(pathlib.Path(lucide.__file__).with_name("lucide.zip"))
    known = {name[:-4] for name in archive.namelist()}
    wanted = names()
    unknown = {name: difflib.get_close_matches(name, known, 4, 0.5) for name in wanted if name not in known}
    if unknown:
        raise SystemExit(f"unknown icons, with near names: {unknown}")
    lines = ["// Written by scripts/icons.py.", "export const icons = {"]
    for name in wanted:
        svg = ElementTree.fromstring(archive.read(name + ".svg"))
        # A path each: joined, a leading `m` of the next would be relative to the end of the one before.
        lines.append(f"  '{name}': {[path_data(element, name) for element in svg]!r},")
    lines += ["} as const;", "export type IconName = keyof typeof icons;", ""]
    target = pathlib.Path(sys.argv[1])
    text = "\n".join(lines)
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


main()
