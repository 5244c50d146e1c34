"""The tables of a run's SQLite file, and how a file of an earlier version is brought up to date."""

import sqlite3

STORE_VERSION = 3

_FIRST = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS models (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS conditions (digest TEXT PRIMARY KEY, symbols TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
    digest BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, raw BLOB NOT NULL, packed INTEGER NOT NULL,
    prompt_tokens INTEGER, completion_tokens INTEGER, served_model TEXT NOT NULL,
    attempts INTEGER NOT NULL, seconds REAL NOT NULL, cost_usd REAL, created REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS failures (
    digest BLOB PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
    attempts INTEGER NOT NULL, created REAL NOT NULL
);
"""
# What came with version 2. `doubts` is money that may have been spent without an answer to show for it.
_LATER_TABLES = """
CREATE TABLE IF NOT EXISTS doubts (model TEXT NOT NULL, usd REAL NOT NULL, reason TEXT NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    nonce TEXT PRIMARY KEY, model TEXT NOT NULL, id TEXT, bound_usd REAL NOT NULL, digests BLOB NOT NULL,
    created REAL NOT NULL
) WITHOUT ROWID;
"""
# What came with version 3: what was measured inside a model, one row a job.
_MEASUREMENTS = """
CREATE TABLE IF NOT EXISTS measurements (
    digest BLOB PRIMARY KEY, model TEXT NOT NULL, study TEXT NOT NULL, kind TEXT NOT NULL, job TEXT NOT NULL,
    arrays BLOB NOT NULL, seconds REAL NOT NULL, created REAL NOT NULL
);
"""
_LATER_COLUMNS = {
    "replies": ("cached_tokens INTEGER", "hidden_tokens INTEGER")
}  # columns that came with version 2


def upgrade(db: sqlite3.Connection) -> None:
    """Make the tables, or add what an earlier version did not have."""
    db.executescript(_FIRST + _LATER_TABLES + _MEASUREMENTS)
    for table, column in _missing(db):
        db.execute(f"ALTER TABLE {table} ADD COLUMN {column} NOT NULL DEFAULT 0")


def show_as_current(db: sqlite3.Connection) -> None:
    """Let a connection that may not write see an earlier file as if it were of this version."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'measurements'").fetchone():
        db.executescript(_MEASUREMENTS.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    missing = _missing(db)
    if missing:
        db.executescript(_LATER_TABLES.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    for table in {table for table, _ in missing}:
        zeros = ", ".join(f"0 AS {column.split()[0]}" for t, column in missing if t == table)
        db.execute(f"CREATE TEMP VIEW {table} AS SELECT *, {zeros} FROM main.{table}")


def _missing(db: sqlite3.Connection) -> list[tuple[str, str]]:
    found = []
    for table, columns in _LATER_COLUMNS.items():
        known = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        found += [(table, column) for column in columns if column.split()[0] not in known]
    return found
