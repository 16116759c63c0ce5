"""Whether every reply that a shopper received is on disk, whatever dies: `kill -9`, fifty times.

    python benchmarks/kill9.py [--kills 50] [--shoppers 8] [--database sqlite]
    python benchmarks/kill9.py --database postgres [--programs /usr/lib/postgresql/15/bin]

Shoppers talk to a real `shopbot serve` over HTTP without a pause, half of them over streams. At a
random moment the process is killed with SIGKILL and started again, nothing else is run; every fifth
blow falls while it starts, and on PostgreSQL every fifth crashes the database server as well. Then

- every reply that had reached a shopper, whole or in part, is looked up in the database by the
  client message id and compared word for word; `missing` counts those that are not there or differ;
- the database is checked (`PRAGMA integrity_check` and `foreign_key_check`; `amcheck` with every row
  looked for in its index), and so is that no message has two turns;
- everybody goes on with the session id of before, and repeats the message that got no whole answer;
  `refused` counts answers that were no reply. Every other blow waits until all have gone on.

At the end every conversation is read over HTTP and must hold what its shopper received, in order.
The shop is the example shop in English with plain sentences, so that fifty starts are cheap. Prints one
table; ends non-zero when anything is missing, damaged or refused.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
from sqlalchemy import Connection, create_engine, make_url, select  # noqa: E402

from benchmarks.kill9_parts import (  # noqa: E402
    Crowd,
    PostgresServer,
    Received,
    ServedShop,
    Shopper,
)
from bot.evaluation.report import machine  # noqa: E402
from db.tables import turns  # noqa: E402

LONGEST_TALK = 3.0  # seconds from the first answer after a start to the blow, at most
EVERY = 5  # the blow that falls while the shop starts, or on the database server too
_TWICE = (
    "SELECT count(*) FROM (SELECT 1 FROM turns WHERE client_message_id IS NOT NULL "
    "GROUP BY conversation_id, client_message_id HAVING count(*) > 1) AS twice"
)
_AMCHECK = (
    "SELECT bt_index_check(c.oid, true) FROM pg_class c JOIN pg_am a ON a.oid = c.relam "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.amname = 'btree' AND c.relkind = 'i' AND n.nspname = 'public'"
)


@dataclass(slots=True)
class Outcome:
    """What happened; of the last four only zeros are right."""

    database: str
    shoppers: int
    kills: int = 0
    while_starting: int = 0
    server_crashes: int = 0
    received: int = 0
    cut_in_stream: int = 0
    repeated: int = 0
    start_seconds_median: float = 0.0
    start_seconds_longest: float = 0.0
    missing: int = 0
    unsound_checks: int = 0
    refused: int = 0
    broken_conversations: int = 0

    def sound(self) -> bool:
        return not (
            self.missing or self.unsound_checks or self.refused or self.broken_conversations
        )


def missing(connection: Connection, received: list[Received]) -> list[Received]:
    """Returns what reached a shopper and is not stored as it was shown."""
    lost = []
    for one in received:
        # a first message that is repeated begins another conversation: the turn id tells which
        kept = select(turns.c.id, turns.c.reply_text).where(
            turns.c.client_message_id == one.client_message_id
        )
        rows = connection.execute(kept).all()
        if one.turn_id:
            found = (one.turn_id, one.text) in [tuple(row) for row in rows]
        else:
            found = any(row.reply_text.startswith(one.text) for row in rows)
        if not found:
            lost.append(one)
    return lost


def faults(connection: Connection) -> list[str]:
    """Returns what the database's own check finds, and messages that were answered twice."""
    found = []
    if connection.dialect.name == "sqlite":
        found += [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check")]
        found.remove("ok")
        found += [str(tuple(row)) for row in connection.exec_driver_sql("PRAGMA foreign_key_check")]
    else:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS amcheck")
        connection.exec_driver_sql(_AMCHECK).all()  # raises where an index is damaged
    if twice := connection.exec_driver_sql(_TWICE).scalar_one():
        found.append(f"{twice} messages have two turns")
    return found


def holds(shopper: Shopper) -> bool:
    """Whether the conversation, read over HTTP, is what its shopper received, in order."""
    if shopper.session_id is None:
        return not shopper.received
    answer = httpx.get(
        f"{shopper.url}/api/conversations/current",
        headers={"x-shopbot-session": shopper.session_id},
    )
    if answer.status_code != 200:
        return False
    kept = [entry["text"] for entry in answer.json()["entries"] if entry["role"] == "bot"]
    rest = iter(kept)
    return all(one.text in rest for one in shopper.received if one.turn_id)


def measure(
    shop: ServedShop, server: PostgresServer | None, *, kills: int, shoppers: int, seed: int
) -> Outcome:
    """Kills the shop `kills` times under talk and returns what came of it."""
    chance = random.Random(seed)
    outcome = Outcome("PostgreSQL" if server else "SQLite", shoppers)
    crowd = Crowd(shoppers, shop.url)
    starts: list[float] = []
    checked = [0] * shoppers
    url = make_url(shop.database_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg") if server else url)

    def check() -> None:
        with engine.begin() as connection:
            for number, one in enumerate(crowd.shoppers):
                outcome.missing += len(missing(connection, one.received[checked[number] :]))
                checked[number] = len(one.received)
            found = faults(connection)
        outcome.unsound_checks += bool(found)
        for line in found:
            print(f"unsound: {line}", file=sys.stderr)

    shop.start()
    shop.wait_until_ready()
    for blow in range(1, kills + 1):
        with crowd.talking():
            before = [len(one.received) for one in crowd.shoppers]
            everybody = blow % 2 == 1  # goes on before the blow; else the first who does
            while not crowd.went_on(before, everybody=everybody):
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, LONGEST_TALK))
            shop.kill()
        if server and blow % EVERY == 0:
            engine.dispose()
            server.crash()
            server.start()
            outcome.server_crashes += 1
        shop.start()
        if blow % EVERY == 3:
            time.sleep(chance.uniform(0.0, statistics.median(starts)))
            shop.kill()
            outcome.while_starting += 1
            shop.start()
        starts.append(shop.wait_until_ready())
        outcome.kills += 1
        check()
        print(f"{blow}/{kills}: {crowd.answers()} replies, {outcome.missing} missing",
              file=sys.stderr, flush=True)  # fmt: skip
    with crowd.talking():
        time.sleep(1.0)  # whoever waits for an answer repeats the message
    check()
    add_up(outcome, crowd)
    outcome.start_seconds_median = round(statistics.median(starts), 2)
    outcome.start_seconds_longest = round(max(starts), 2)
    engine.dispose()
    return outcome


def add_up(outcome: Outcome, crowd: Crowd) -> None:
    """Counts what the shoppers came to."""
    for one in crowd.shoppers:
        for line in one.refused:
            print(f"refused: {line}", file=sys.stderr)
        outcome.refused += len(one.refused)
        outcome.repeated += one.repeated
        outcome.cut_in_stream += sum(not answer.turn_id for answer in one.received)
        outcome.broken_conversations += not holds(one)
    outcome.received = crowd.answers()


def as_table(outcome: Outcome) -> str:
    rows = [(name.replace("_", " "), str(value)) for name, value in asdict(outcome).items()]
    return "\n".join(f"| {name:<22} | {value:>10} |" for name, value in rows)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--shoppers", type=int, default=8)
    arguments.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    arguments.add_argument("--programs", type=Path, default=Path("/usr/lib/postgresql/15/bin"))
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--json", type=Path, help="write the figures there as well")
    options = arguments.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="shopbot-kill9-home-"))
    server = PostgresServer(options.programs) if options.database == "postgres" else None
    shop = ServedShop(folder, server.url if server else "")
    try:
        shop.prepare()
        outcome = measure(
            shop, server, kills=options.kills, shoppers=options.shoppers, seed=options.seed
        )
    finally:
        shop.kill()
        if server:
            server.remove()
    print(as_table(outcome))
    if options.json:
        options.json.write_text(json.dumps(asdict(outcome) | {"machine": machine()}, indent=1))
    if not outcome.sound():
        raise SystemExit(f"something was lost; the home and its log stay in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
