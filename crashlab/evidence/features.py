"""What goes into the model: parity of the two code paths, distributions of features, raw columns and tables."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime

from crashlab.errors import StackError
from crashlab.evidence.figures import TOLERANCE, distance, given, median, number, same
from crashlab.evidence.observer import Facts, Observer, answered


@answered
def parity_facts(seen: Observer) -> Facts:
    """Row-level parity of every feature: the same payload through the training side's code and through the API."""
    facts: Facts = {}
    pairs = seen.training_side
    differing = 0
    for row, vector in pairs:
        differing += any(not same(row.features.get(name), vector.get(name)) for name in seen.workload.features)
    facts["parity mismatch"] = number(differing / len(pairs))
    for name in seen.workload.features:
        both = [(row.features.get(name), vector.get(name)) for row, vector in pairs]
        facts[f"feature {name} parity_mismatch"] = number(sum(not same(a, b) for a, b in both) / len(both))
        ratio = median(a / b for a, b in both if a is not None and b is not None and abs(b) > TOLERANCE)
        if ratio is not None:
            facts[f"feature {name} parity_ratio"] = number(ratio)
        offset = median(a - b for a, b in both if a is not None and b is not None)
        if offset is not None:
            facts[f"feature {name} parity_offset"] = number(offset)
        facts[f"feature {name} side=training null_share"] = number(sum(b is None for _, b in both) / len(both))
    return facts


@answered
def category_facts(seen: Observer) -> Facts:
    """Code of each category on both sides: the median of the feature that is named like the raw column."""
    facts: Facts = {}
    for name in seen.workload.categorical_columns:
        served = [(row.raw.get(name), row.features.get(name)) for row in seen.now]
        trained = [(row.raw.get(name), vector.get(name)) for row, vector in seen.training_side]
        for suffix, pairs in (("", served), (" side=training", trained)):
            for value in sorted({str(raw) for raw, _ in pairs if raw is not None}):
                code = median(given(coded for raw, coded in pairs if raw == value))
                if code is not None:
                    facts[f"category {name}={value}{suffix} code"] = number(code)
    return facts


def feature_facts(seen: Observer) -> Facts:
    """Distributions of the served features, now and before, and their distance from the training reference."""
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        for name in seen.workload.features:
            values = [row.features.get(name) for row in rows]
            if not values:
                continue
            known = given(values)
            facts[f"feature {name}{suffix} null_share"] = number(sum(v is None for v in values) / len(values))
            facts[f"feature {name}{suffix} zero_share"] = number(sum(v == 0 for v in values) / len(values))
            if known:
                facts[f"feature {name}{suffix} mean"] = number(sum(known) / len(known))
                value, count = Counter(known).most_common(1)[0]
                facts[f"feature {name}{suffix} mode"] = number(value)
                facts[f"feature {name}{suffix} mode_share"] = number(count / len(values))
                facts[f"feature {name}{suffix} distinct"] = float(len(set(known)))
            reference = given(seen.reference.get(name, ()))
            if known and reference:
                facts[f"feature {name}{suffix} drift"] = number(distance(known, reference))
    return facts


def raw_facts(seen: Observer) -> Facts:
    """Raw numeric columns as the clients sent them."""
    facts: Facts = {}
    for suffix, rows in (("", seen.now), (" window=before", seen.before)):
        for name in seen.workload.numeric_columns:
            values = [row.raw.get(name) for row in rows]
            if not values:
                continue
            known = given(values)
            facts[f"raw {name}{suffix} null_share"] = number(sum(v is None for v in values) / len(values))
            if known:
                facts[f"raw {name}{suffix} mean"] = number(sum(known) / len(known))
                facts[f"raw {name}{suffix} maximum"] = number(max(known))
            for column in seen.workload.segments:
                for value in sorted({str(row.raw.get(column)) for row in rows}):
                    part = median(given(row.raw.get(name) for row in rows if row.raw.get(column) == value))
                    if part is not None:
                        facts[f"raw {name} {column}={value}{suffix} median"] = number(part)
            reference = given(seen.raw_reference.get(name, ()))
            if known and reference:
                facts[f"raw {name}{suffix} drift"] = number(distance(known, reference))
    return facts


def table_facts(seen: Observer) -> Facts:
    """The online feature tables: rows, and the day of the records where a table keeps it."""
    path = seen.stack.home / "data" / "features.db"
    if not path.is_file():
        return {}
    facts: Facts = {}
    newest = max((row.event_time for row in seen.now or seen.before), default=None)
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                facts[f"table {name} rows"] = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 a table's own name
                columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')}
                if "updated_on" not in columns:
                    continue
                day = connection.execute(f'SELECT max(updated_on) FROM "{name}"').fetchone()[0]  # noqa: S608 a table's own name
                if day and newest:
                    facts[f"table {name} updated_on"] = str(day)
                    facts[f"table {name} age_days"] = float((newest.date() - datetime.fromisoformat(day).date()).days)
    except sqlite3.Error as error:
        raise StackError(f"features.db cannot be read: {error}.", "Check the stack's data folder.") from error
    return facts
