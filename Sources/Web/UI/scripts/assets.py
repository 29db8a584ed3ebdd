"""Finishes a bundle: hashed names, compressed twins, the page, and the table for `#embed`.

    assets.py BUILT DESTINATION PAGE

BUILT/assets holds what esbuild and the font subsetter wrote. DESTINATION is replaced by the finished bundle only
when its content changed, so that an unchanged UI costs the C compiler nothing.
"""

import gzip
import hashlib
import pathlib
import re
import shutil
import sys

# Budgets of the first page, in compressed bytes.
SCRIPT_MAX = 120 * 1024
STYLE_MAX = 20 * 1024

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def hashed(path: pathlib.Path) -> pathlib.Path:
    """Renames a file that esbuild did not name by its content."""
    return path.rename(path.with_name(f"{path.stem}-{digest(path.read_bytes())[:8].upper()}{path.suffix}"))


def main() -> None:
    built, destination, page = (pathlib.Path(argument) for argument in sys.argv[1:4])
    assets = built / "assets"
    icon = assets / "logo.svg"
    icon.write_bytes(page.with_name("logo.svg").read_bytes())
    names = {path.name: hashed(path).name for path in sorted(assets.glob("*.woff2"))}
    names["logo.svg"] = hashed(icon).name
    style = assets / "app.css"
    text = style.read_text()
    for old, new in names.items():
        text = text.replace(f"/assets/{old}", f"/assets/{new}")
    style.write_text(text)
    names["app.css"] = hashed(style).name
    names["boot.js"] = hashed(assets / "boot.js").name
    names["main.js"] = next(assets.glob("main-*.js")).name
    html = page.read_text()
    for reference in re.findall(r'"/assets/([\w.-]+)"', html):
        html = html.replace(f"/assets/{reference}", f"/assets/{names[reference]}")
    (built / "index.html").write_text(html)

    files = sorted(path for path in built.rglob("*") if path.is_file())
    bytes_part, row_part = [], []
    for index, path in enumerate(sorted(files, key=lambda path: "/" + path.relative_to(built).as_posix())):
        name = path.relative_to(built).as_posix()
        data = path.read_bytes()
        bytes_part.append(f'static const uint8_t plain_{index}[] = {{\n#embed "{name}"\n}};')
        packed = b"" if path.suffix == ".woff2" else gzip.compress(data, 9, mtime=0)
        if packed and len(packed) < len(data):
            path.with_name(path.name + ".gz").write_bytes(packed)
            bytes_part.append(f'static const uint8_t packed_{index}[] = {{\n#embed "{name}.gz"\n}};')
            gz = f"packed_{index}, sizeof packed_{index}"
        else:
            gz = "NULL, 0"
        row_part.append(
            f'  {{"/{name}", "{TYPES[path.suffix]}", plain_{index}, sizeof plain_{index}, {gz}, '
            f'"\\"{digest(data)[:20]}\\"", {"true" if name.startswith("assets/") else "false"}}},'
        )
    (built / "assets.inc").write_text(
        "// Written by Sources/Web/UI/scripts/assets.py.\n"
        "#ifdef TL_WEB_ASSET_BYTES\n" + "\n".join(bytes_part) + "\n#endif\n"
        "#ifdef TL_WEB_ASSET_ROWS\n" + "\n".join(row_part) + "\n#endif\n"
    )

    def size(names: list[pathlib.Path]) -> int:
        return sum(path.stat().st_size for path in names)

    # Static imports of the entry belong to the first page; what it loads on demand does not.
    first = {names["main.js"]}
    queue = list(first)
    while queue:
        source = (assets / queue.pop()).read_text()
        for found in re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', source):
            if found not in first:
                first.add(found)
                queue.append(found)
    script = size([assets / (name + ".gz") for name in sorted(first)])
    styles = size([assets / (names["app.css"] + ".gz")])
    later = size(list(assets.glob("*.js.gz"))) - script
    print(f"ui: first page {script / 1024:.1f} KB script, {styles / 1024:.1f} KB style; later pages {later / 1024:.1f} KB (gzip)")
    if script > SCRIPT_MAX or styles > STYLE_MAX:
        raise SystemExit(f"over the budget of {SCRIPT_MAX // 1024} KB script and {STYLE_MAX // 1024} KB style")

    def listing(folder: pathlib.Path) -> dict[str, str]:
        return {
            path.relative_to(folder).as_posix(): digest(path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".gitignore"
        }

    if listing(built) != listing(destination):
        for path in destination.iterdir():
            if path.name == ".gitignore":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(built, destination, dirs_exist_ok=True)


main()
