"""A million rows through `shopbot import`: memory grown, and speed beside the `csv` module.

    python benchmarks/import_million.py [--rows 1000000] [--bar 300]

**The file.** var/benchmarks/import-ROWS.csv, written once from a generator seeded with 20: columns
id, sku, title, brand, category, price, stock, url, description, colour, weight, in UTF-8 with a
comma. Titles are an adjective, a material, a thing and a number; every tenth has a quoted comma,
every hundredth a line break in its description; descriptions have 8 to 40 words of a list of 60.
Every 10,000th row has a price that cannot be read.

**Measured.** The command runs in a process of its own with a home of its own. Its resident memory
is sampled from /proc every 50 ms; growth is the most it reached over what it held when it opened
the file. Rows a second count the whole command, its start and its writes into SQLite included;
beside it stands `csv.reader` reading the same file in the same run. Ends with 1 when the growth is
over the bar or when the rows that arrived are not those that are good.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BAD_EVERY = 10_000
_COLUMNS = "id sku title brand category price stock url description colour weight".split()
_THINGS = "lamp kettle tent stove chair desk mug pillow drill bottle jacket boot shelf rug".split()
_KINDS = "Home Kitchen Outdoor Garden Office Tools Clothing Lighting".split()
_MATERIALS = "steel oak cotton wool bamboo glass ceramic leather linen cork".split()
_ADJECTIVES = "light sturdy folding compact classic warm quiet wide slim soft bright plain".split()
_BRANDS = "Aldena Brightly Corvo Dunmere Elster Fjellby Garrow Hexley".split()
_COLOURS = "red blue green black white grey sand".split()
_WORDS = (_THINGS + _MATERIALS + _ADJECTIVES + "for the with and of easy care washed daily use "
          "made in small batches lasting finish gift ready two year warranty".split())  # fmt: skip


def write(path: Path, rows: int) -> None:
    draw = random.Random(20)
    path.parent.mkdir(parents=True, exist_ok=True)
    partly = path.with_suffix(".part")
    with partly.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for number in range(1, rows + 1):
            thing = draw.choice(_THINGS)
            comma = ", " if number % 10 == 0 else " "
            title = f"{draw.choice(_ADJECTIVES)} {draw.choice(_MATERIALS)}{comma}{thing} {number}"
            words = draw.choices(_WORDS, k=draw.randint(8, 40))
            joint = "\n" if number % 100 == 0 else " "
            price = (
                "ask us" if number % BAD_EVERY == 0 else f"{draw.randint(100, 99_999) / 100:.2f}"
            )
            writer.writerow((
                f"P{number}", f"SKU-{number:07}", title.capitalize(), draw.choice(_BRANDS),
                f"{draw.choice(_KINDS)} > {thing.capitalize()}", price, draw.randint(0, 50),
                f"https://shop.example/p/{number}", joint.join((" ".join(words[:4]), " ".join(words[4:]))),
                draw.choice(_COLOURS), f"{draw.randint(1, 90) / 10} kg",
            ))  # fmt: skip
    partly.replace(path)


def resident(pid: int) -> int:
    """Bytes of a process that lie in memory; 0 once it has gone."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def has_open(pid: int, path: Path) -> bool:
    folder = Path(f"/proc/{pid}/fd")
    try:
        return any(os.readlink(entry) == str(path) for entry in folder.iterdir())
    except OSError:
        return False


def run(path: Path, home: Path) -> tuple[float, int, int]:
    """(seconds, bytes resident when the file was opened, most bytes resident) of one import."""
    command = "from bot.cli import main; main()"
    options = ["import", str(path), "--currency", "EUR"]
    started = time.perf_counter()
    with (home / "said.txt").open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", command, *options],
            cwd=home,
            env={**os.environ, "SHOPBOT_HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        base = most = 0
        while process.poll() is None:
            now = resident(process.pid)
            if not base and has_open(process.pid, path):
                base = now
            most = max(most, now)
            time.sleep(0.05)
    return time.perf_counter() - started, base, most


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bar", type=int, default=300, help="most MB of memory grown")
    arguments = parser.parse_args()
    rows: int = arguments.rows
    path = ROOT / "var" / "benchmarks" / f"import-{rows}.csv"
    if not path.exists():
        write(path, rows)
    csv.field_size_limit(1_000_000)
    started = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        plain_rows = sum(1 for _ in csv.reader(file)) - 1
    plain = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        seconds, base, most = run(path, Path(folder))
        said = (Path(folder) / "said.txt").read_text(encoding="utf-8")
        with sqlite3.connect(Path(folder) / "shopbot.db") as connection:
            (arrived,) = connection.execute("SELECT count(*) FROM products").fetchone()
        connection.close()
    good = rows - rows // BAD_EVERY
    grown = (most - base) / 2**20
    figures = {
        "rows": rows,
        "file_mb": round(path.stat().st_size / 2**20),
        "arrived": arrived,
        "expected": good,
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "csv_module_rows_per_second": round(plain_rows / plain),
        "resident_at_start_mb": round(base / 2**20),
        "resident_most_mb": round(most / 2**20),
        "grown_mb": round(grown),
        "python": sys.version.split()[0],
    }
    for name, figure in figures.items():
        print(f"{name:28} {figure}")
    print("\n".join(said.splitlines()[:8]))
    (ROOT / "benchmarks" / "import_million.json").write_text(json.dumps(figures, indent=1) + "\n")
    return 0 if grown <= arguments.bar and arrived == good == plain_rows - rows // BAD_EVERY else 1


if __name__ == "__main__":
    sys.exit(main())
