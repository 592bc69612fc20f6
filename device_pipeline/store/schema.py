"""The tables, as migrations that are only ever added to. A change and its record commit in one transaction.

Times are integer nanoseconds of the data's own clock unless a comment says otherwise. Written as SQL: changing a table
through sqlite-utils' alter does not work on the encrypted driver.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlite_utils import Database

from device_pipeline.errors import StoreVersionError


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "first tables",
        (
            """CREATE TABLE migrations (
                number INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                applied_ns INTEGER NOT NULL
            ) STRICT""",
            # opened_ns and stored_ns (of the last commit) are the host's clock; the other two the data's
            """CREATE TABLE sessions (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                kind TEXT NOT NULL CHECK (kind IN ('live', 'replay', 'import')),
                source TEXT NOT NULL,
                program TEXT NOT NULL,
                opened_ns INTEGER NOT NULL,
                stored_ns INTEGER NOT NULL,
                started_ns INTEGER,
                last_ns INTEGER,
                ended TEXT CHECK (ended IN ('clean', 'killed', 'error'))
            ) STRICT""",
            # seq: the order of arrival over samples, readings and gaps of a session
            """CREATE TABLE samples (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                seq INTEGER NOT NULL,
                kind TEXT NOT NULL,
                channel TEXT NOT NULL,
                fs_hz REAL NOT NULL,
                anchor_ns INTEGER NOT NULL,
                step_ns REAL NOT NULL,
                "offset" INTEGER NOT NULL,
                n INTEGER NOT NULL CHECK (n > 0),
                width INTEGER NOT NULL CHECK (width > 0),
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                encoding TEXT NOT NULL,
                data BLOB NOT NULL,
                PRIMARY KEY (session_id, seq)
            ) STRICT""",
            "CREATE INDEX samples_end ON samples (end_ns)",
            """CREATE TABLE readings (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                seq INTEGER NOT NULL,
                quantity TEXT NOT NULL,
                channel TEXT NOT NULL,
                t_ns INTEGER NOT NULL,
                value REAL NOT NULL,
                PRIMARY KEY (session_id, seq)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX readings_t ON readings (t_ns)",
            """CREATE TABLE gaps (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                seq INTEGER NOT NULL,
                channel TEXT,
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                reason TEXT NOT NULL,
                PRIMARY KEY (session_id, seq)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX gaps_end ON gaps (end_ns)",
            # what the pipeline found absent: the gaps that arrived, and those it saw itself (flat line)
            """CREATE TABLE absences (
                id INTEGER PRIMARY KEY,
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                channel TEXT,
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                reason TEXT NOT NULL
            ) STRICT""",
            "CREATE INDEX absences_session ON absences (session_id, start_ns)",
            "CREATE INDEX absences_end ON absences (end_ns)",
            """CREATE TABLE beats (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                t_ns INTEGER NOT NULL,
                source TEXT NOT NULL,
                rr_s REAL,
                label TEXT NOT NULL,
                PRIMARY KEY (session_id, t_ns, source)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE quality (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                channel TEXT NOT NULL,
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                quality REAL NOT NULL,
                good INTEGER NOT NULL,
                reason TEXT,
                PRIMARY KEY (session_id, channel, start_ns)
            ) STRICT, WITHOUT ROWID""",
            # how much of each window of the source that leads was good, poor, or (the rest) absent
            """CREATE TABLE coverage (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                source TEXT NOT NULL,
                good_ns INTEGER NOT NULL,
                poor_ns INTEGER NOT NULL,
                quality REAL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX coverage_end ON coverage (end_ns)",
            """CREATE TABLE heart_rate (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                source TEXT NOT NULL,
                bpm REAL,
                quality REAL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns, length_ns, source)
            ) STRICT, WITHOUT ROWID""",
            # metric_values: a JSON object, metric name to number or null; NULL where the window abstains
            """CREATE TABLE hrv (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                n_beats INTEGER NOT NULL,
                corrected_pct REAL,
                method TEXT NOT NULL,
                reason TEXT,
                metric_values TEXT CHECK (json_valid(metric_values)),
                PRIMARY KEY (session_id, start_ns, length_ns, method)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE rhythm (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                kind TEXT NOT NULL,
                PRIMARY KEY (session_id, start_ns, kind)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE alerts (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                rule TEXT NOT NULL,
                start_ns INTEGER NOT NULL,
                raised_ns INTEGER NOT NULL,
                end_ns INTEGER,
                text TEXT NOT NULL,
                PRIMARY KEY (session_id, rule, start_ns)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX alerts_start ON alerts (start_ns)",
        ),
    ),
    Migration(
        "clock synchronised",
        (
            # data older than this has its times from a clock that was not right, and belongs to no calendar day;
            # 0: all of it is right, NULL: nothing is. Until now there were only replays, whose times are their own.
            "ALTER TABLE sessions ADD COLUMN synchronised_from_ns INTEGER",
            "UPDATE sessions SET synchronised_from_ns = 0",
        ),
    ),
    Migration(
        "respiration, oxygen, activity, temperature",
        (
            """CREATE TABLE respiration (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                rate_bpm REAL,
                quality REAL,
                reason TEXT,
                method TEXT NOT NULL,
                PRIMARY KEY (session_id, start_ns, length_ns, method)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE spo2 (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                spo2_pct REAL,
                quality REAL,
                reason TEXT,
                method TEXT NOT NULL,
                PRIMARY KEY (session_id, start_ns, length_ns, method)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE desaturations (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                end_ns INTEGER NOT NULL,
                nadir_pct REAL NOT NULL,
                PRIMARY KEY (session_id, start_ns)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE activity (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                steps INTEGER,
                level TEXT,
                posture TEXT,
                quality REAL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE temperature (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                temperature_c REAL,
                trend_c_per_h REAL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "oxygen by the hour, temperature by site",
        (
            # nothing has written into it yet
            "DROP TABLE temperature",
            """CREATE TABLE temperature (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                temperature_c REAL,
                trend_c_per_h REAL,
                reason TEXT,
                site TEXT NOT NULL,
                PRIMARY KEY (session_id, start_ns, length_ns, site)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE oxygenation (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                valid_s INTEGER NOT NULL,
                mean_pct REAL,
                min_pct REAL,
                below_90_s INTEGER NOT NULL,
                drops_3 INTEGER NOT NULL,
                drops_4 INTEGER NOT NULL,
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "doubts about HRV",
        (
            # absent: a JSON object, metric to why it alone has no value; uncertain: a JSON array of metrics whose value
            # may be off. Both are empty in windows from before, in which nobody asked.
            "ALTER TABLE hrv ADD COLUMN absent TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(absent))",
            "ALTER TABLE hrv ADD COLUMN uncertain TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(uncertain))",
        ),
    ),
    Migration(
        "days of the wearer",
        (
            # day: a date in the local time zone; measured_ns: the host's clock. Kept for good, as all that was found.
            """CREATE TABLE day_numbers (
                day TEXT NOT NULL,
                number TEXT NOT NULL,
                value REAL,
                method TEXT,
                stretches INTEGER NOT NULL,
                reason TEXT,
                measured_ns INTEGER NOT NULL,
                PRIMARY KEY (day, number)
            ) STRICT, WITHOUT ROWID""",
            # numbers: a JSON array, one object for each number and where it lies among the days before
            """CREATE TABLE day_verdicts (
                day TEXT NOT NULL PRIMARY KEY,
                said TEXT NOT NULL,
                probability REAL,
                nights INTEGER NOT NULL,
                reason TEXT,
                whole INTEGER NOT NULL,
                model TEXT NOT NULL,
                numbers TEXT NOT NULL CHECK (json_valid(numbers))
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "what models see and say",
        (
            # day_ns: the host's clock, rounded down to a day of UTC. edges and shares are those of the model's card;
            # edges, shares and counts: JSON arrays. Days older than the window that is looked at are removed.
            """CREATE TABLE model_seen (
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                quantity TEXT NOT NULL,
                day_ns INTEGER NOT NULL,
                edges TEXT NOT NULL CHECK (json_valid(edges)),
                shares TEXT NOT NULL CHECK (json_valid(shares)),
                counts TEXT NOT NULL CHECK (json_valid(counts)),
                PRIMARY KEY (model, version, quantity, day_ns)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "what kind each beat is, grounds of alerts",
        (
            # label NULL: it could not be told, and reason says why
            """CREATE TABLE beat_types (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                t_ns INTEGER NOT NULL,
                label TEXT,
                score REAL,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                reason TEXT,
                PRIMARY KEY (session_id, t_ns)
            ) STRICT, WITHOUT ROWID""",
            # grounds: a JSON object, NULL where no model had part in the alert, or it is from before they were kept
            "ALTER TABLE alerts ADD COLUMN grounds TEXT CHECK (grounds IS NULL OR json_valid(grounds))",
        ),
    ),
    Migration(
        "steps of the governor",
        (
            # t_ns: the host's clock; level: 0 full, 1 windows rare, 2 models rest, 3 no raw samples stored
            """CREATE TABLE governor_steps (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                t_ns INTEGER NOT NULL,
                level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 3),
                reason TEXT NOT NULL,
                temperature_c REAL,
                battery_pct REAL
            ) STRICT""",
        ),
    ),
    Migration(
        "models on trial",
        (
            # what a model in shadow said beside the one in service; t_ns: how far the data had come
            """CREATE TABLE shadow_scores (
                id INTEGER PRIMARY KEY,
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                t_ns INTEGER NOT NULL,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                label TEXT NOT NULL,
                score REAL NOT NULL,
                active_version TEXT NOT NULL,
                active_label TEXT NOT NULL,
                active_score REAL NOT NULL
            ) STRICT""",
            "CREATE INDEX shadow_scores_t ON shadow_scores (t_ns)",
            # number and t_ns (the host's clock) name it: the same event is told to every session
            """CREATE TABLE model_events (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                number INTEGER NOT NULL,
                t_ns INTEGER NOT NULL,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                what TEXT NOT NULL,
                reason TEXT NOT NULL,
                PRIMARY KEY (t_ns, number)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "which model told a rhythm, and how sure it was",
        (
            "ALTER TABLE rhythm ADD COLUMN probability REAL CHECK (probability BETWEEN 0 AND 1)",
            "ALTER TABLE rhythm ADD COLUMN model TEXT",
            "ALTER TABLE rhythm ADD COLUMN version TEXT",
        ),
    ),
    Migration(
        "shapes of beats",
        (
            """CREATE TABLE anomaly (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                score REAL,
                n_beats INTEGER NOT NULL,
                odd_n INTEGER,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
            # what is usual of the wearer, by the lead it was learnt from; the newest of a model's version counts
            """CREATE TABLE learnt_shapes (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                channel TEXT NOT NULL,
                n_beats INTEGER NOT NULL,
                model TEXT NOT NULL,
                version TEXT NOT NULL,
                calibration TEXT NOT NULL CHECK (json_valid(calibration)),
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "whether an ECG can be read",
        (
            """CREATE TABLE usable (
                session_id INTEGER NOT NULL REFERENCES sessions (id),
                start_ns INTEGER NOT NULL,
                length_ns INTEGER NOT NULL,
                usable INTEGER CHECK (usable IN (0, 1)),
                right REAL,
                noisy REAL,
                method TEXT NOT NULL,
                reason TEXT,
                PRIMARY KEY (session_id, start_ns, length_ns)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
    Migration(
        "how far one person is from a reference",
        ("ALTER TABLE model_seen ADD COLUMN person REAL",),
    ),
)


def version(db: Database) -> int:
    """The number of the last migration applied; 0 for an empty database."""
    if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'migrations'").fetchone()[0] == 0:
        return 0
    number: int | None = db.execute("SELECT max(number) FROM migrations").fetchone()[0]
    return number or 0


def migrate(db: Database, now_ns: int, migrations: tuple[Migration, ...] = MIGRATIONS) -> None:
    """Brings the database up to the last of `migrations`. Raises StoreVersionError if it is already further."""
    found = version(db)
    require_not_newer(found, len(migrations))
    if found == len(migrations):
        return
    # All of them or none: a reader that comes after a writer was killed here finds the old database or the new one.
    db.execute("BEGIN IMMEDIATE")
    try:
        for number, migration in enumerate(migrations[found:], start=found + 1):
            for statement in migration.statements:
                db.execute(statement)
            db.execute(
                "INSERT INTO migrations (number, name, applied_ns) VALUES (?, ?, ?)", (number, migration.name, now_ns)
            )
        db.execute("COMMIT")
    except BaseException:
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


def require_not_newer(found: int, known: int) -> None:
    if found > known:
        raise StoreVersionError(f"the database has schema version {found}, this program knows up to {known}: update it")
