"""Synthetic orders of a fictional delivery service, with a believable physics. No real person or order is in them.

Minutes from order to door = kitchen time + travel time + handover. Travel time grows with distance and falls with the
courier's speed; rain, snow, rush hours on the customer's own clock, steep and crowded zones make it longer; couriers
in their first months lose time at the door. The expected kitchen time is unknown for four orders in ten. Outside
temperature and basket value belong to an order and have no effect on its time.
"""

import json
import math
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from training.eta.stream import NAMES
from training.launch import LAUNCH, before

HISTORY = (before(26), LAUNCH)
"""First day of the training history, and the day after its last."""
STREAM = (LAUNCH, before(-5))
"""Days of the orders that production receives."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)
TIME_FIELD = "placed_at"
HISTORY_PER_DAY = 150
STREAM_PER_DAY = 300
"""Orders a day; the history is a half of all orders, which is plenty to learn from."""
UNKNOWN_KITCHEN = 0.4
"""Share of orders whose kitchen gave no expected time."""

COURIERS = 240
MEMORY_DAYS = 45.0
"""Days in which a courier's average speed forgets most of what it was."""
ZONES = ("suburbs", "hills", "harbour", "centre")
ZONE_SLOWNESS = {"suburbs": 0.9, "hills": 1.1, "harbour": 1.05, "centre": 1.3}
CITIES = ("Africa/Tunis", "Europe/Istanbul", "America/Sao_Paulo")
"""None of them changes its clocks, so a week is like the next one whatever the season."""
CITY_SHARE = (0.4, 0.35, 0.25)
VEHICLES = ("bicycle", "scooter", "car")
VEHICLE_KMH = {"bicycle": 14.0, "scooter": 24.0, "car": 29.0}
WEATHERS = ("clear", "rain", "snow")
WEATHER_SHARE = (0.68, 0.27, 0.05)
WEATHER_SLOWNESS = {"clear": 1.0, "rain": 1.2, "snow": 1.5}


@dataclass(frozen=True)
class World:
    """How the world differs from the one of the history.

    `slowness` is travel time over what it was, `extra_minutes` what every delivery takes longer, and `far_share` the share
    of orders from a district that is between `far_from_m` and `far_to_m` metres away.
    """

    slowness: float = 1.0
    extra_minutes: float = 0.0
    far_share: float = 0.0
    far_from_m: float = 0.0
    far_to_m: float = 0.0

    def place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Return the order, from the far district where it is one of those."""
        own = random.Random(f"far:{order['order_id']}:{order['placed_at']}")
        if own.random() >= self.far_share:
            return order
        return {**order, "route_distance_m": float(round(own.uniform(self.far_from_m, self.far_to_m)))}

    def minutes(self, order: dict[str, Any], courier: "Courier", actual: float) -> float:
        """Return the outcome of an order that would have taken `actual` minutes."""
        return round(actual + (self.slowness - 1) * travel_minutes(order, courier) + self.extra_minutes, 2)


@dataclass(frozen=True)
class Courier:
    """One row of the online feature table."""

    courier_id: str
    avg_speed_kmh: float
    deliveries_30d: int
    on_time_rate: float
    hired_on: date
    pace: float
    """True speed over the usual speed of the vehicle; what the average speed is a noisy record of."""


def couriers(seed: int) -> list[Courier]:
    """Draw the couriers of a seed."""
    rng = np.random.default_rng([seed, 1])
    found = []
    for index in range(COURIERS):
        pace = float(np.clip(rng.normal(1.0, 0.22), 0.55, 1.6))
        tenure = int(rng.gamma(1.4, 260)) + 5
        found.append(
            Courier(
                courier_id=f"c{index:04d}",
                avg_speed_kmh=round(21.0 * pace + float(rng.normal(0, 0.8)), 2),
                deliveries_30d=int(rng.poisson(120)),
                on_time_rate=round(float(np.clip(rng.normal(0.7 + 0.2 * (pace - 1), 0.06), 0.2, 1.0)), 3),
                hired_on=LAUNCH - timedelta(days=tenure),
                pace=pace,
            )
        )
    return found


def couriers_at(seed: int, day: date) -> list[Courier]:
    """Return the courier system's records as they were on a day; whoever was hired later is not among them.

    Couriers change their vehicle and their district, so that a 30-day average says less about somebody the older it is:
    its correlation with today's falls by a factor e in MEMORY_DAYS.
    """
    age = max((HISTORY[1] - day).days, 0)
    if age == 0:
        return couriers(seed)
    rng = np.random.default_rng([seed, 5, age])
    kept = math.exp(-age / MEMORY_DAYS)
    found = []
    for courier in couriers(seed):
        own = float(rng.normal(1.0, 0.22))
        noise, deliveries = float(rng.normal(0, 0.8)), int(rng.poisson(120))
        if courier.hired_on > day:
            continue
        pace = float(np.clip(kept * courier.pace + (1 - kept) + math.sqrt(1 - kept**2) * (own - 1.0), 0.55, 1.6))
        found.append(replace(courier, avg_speed_kmh=round(21.0 * pace + noise, 2), deliveries_30d=deliveries))
    return found


def local_hour(placed: datetime, zone: str) -> float:
    """Hour on the customer's clock, with its fraction."""
    local = placed.astimezone(ZoneInfo(zone))
    return local.hour + local.minute / 60


def rush(hour: float) -> float:
    """Travel time over that of a quiet road: peaks at noon and in the evening."""
    return 1.0 + 0.35 * math.exp(-(((hour - 13.0) / 1.6) ** 2)) + 0.75 * math.exp(-(((hour - 19.0) / 2.0) ** 2))


def travel_minutes(order: dict[str, Any], courier: Courier) -> float:
    """Minutes on the road."""
    placed = datetime.fromisoformat(order["placed_at"])
    speed = VEHICLE_KMH[order["vehicle"]] * courier.pace
    slowness = (
        WEATHER_SLOWNESS[order["weather"]] * ZONE_SLOWNESS[order["zone"]] * rush(local_hour(placed, order["timezone"]))
    )
    return float(order["route_distance_m"] / 1000 / speed * 60 * slowness)


def handover_minutes(order: dict[str, Any], courier: Courier) -> float:
    """Minutes at the door; a new courier takes longer."""
    tenure = (datetime.fromisoformat(order["placed_at"]).date() - courier.hired_on).days
    return 2.0 + 0.3 * float(order["items"]) + 9.0 * math.exp(-max(tenure, 0) / 150)


def delivery_minutes(order: dict[str, Any], kitchen: float, courier: Courier, noise: float) -> float:
    """Minutes from order to door; `kitchen` is the true kitchen time in minutes, `noise` a standard normal."""
    travel, handover = travel_minutes(order, courier), handover_minutes(order, courier)
    return float(max(4.0, kitchen + travel + handover + 1.2 * noise))


def orders(
    rng: np.random.Generator,
    days: tuple[date, date],
    staff: list[Courier],
    prefix: str,
    per_day: int,
    world: World | None = None,
    since: datetime = LONG_AGO,
) -> Iterator[dict[str, Any]]:
    """Yield orders with their outcome in event-time order: `{"order": raw payload, "actual": minutes}`.

    Orders placed at `since` or later are those of another `world`; all others stay what they are without it.
    """
    number = 0
    day = days[0]
    while day < days[1]:
        count = int(rng.poisson(per_day * (1.15 if day.weekday() >= 5 else 0.95)))
        # Orders peak at lunch and in the evening of each city; drawn on the customer's clock, stored in UTC.
        drawn = []
        for _ in range(count):
            city = str(rng.choice(CITIES, p=CITY_SHARE))
            evening = rng.random() < 0.62
            hour = float(np.clip(rng.normal(19.0 if evening else 13.0, 2.2 if evening else 2.0), 8.0, 23.4))
            local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(city)) + timedelta(seconds=int(hour * 3600))
            drawn.append((local.astimezone(UTC), city))
        for placed, city in sorted(drawn):
            number += 1
            yield _order(rng, placed, city, staff, f"{prefix}{number:07d}", world if placed >= since else None)
        day += timedelta(days=1)


def _order(
    rng: np.random.Generator, placed: datetime, city: str, staff: list[Courier], key: str, world: World | None
) -> dict[str, Any]:
    courier = staff[int(rng.integers(len(staff)))]
    items = 1 + int(rng.poisson(1.8))
    kitchen = float(np.clip(rng.gamma(9.0, 1.7) + 0.8 * items, 3.0, 45.0))
    known = rng.random() >= UNKNOWN_KITCHEN
    order = {
        "order_id": key,
        "placed_at": placed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "timezone": city,
        "route_distance_m": round(float(np.clip(rng.lognormal(math.log(3200), 0.5), 400, 12_000)), 0),
        "vehicle": str(rng.choice(VEHICLES, p=(0.4, 0.35, 0.25))),
        "zone": str(rng.choice(ZONES, p=(0.3, 0.2, 0.2, 0.3))),
        "weather": str(rng.choice(WEATHERS, p=WEATHER_SHARE)),
        "temperature_c": round(float(rng.normal(17.0, 5.0)), 1),
        "kitchen_seconds": round(kitchen * 60 * float(rng.normal(1.0, 0.06)), 0) if known else None,
        "items": items,
        "basket_value": round(float(rng.lognormal(math.log(24.0), 0.45)), 2),
        "courier_id": courier.courier_id,
    }
    order = world.place(order) if world else order
    actual = round(delivery_minutes(order, kitchen, courier, float(rng.normal())), 2)
    return {"order": order, "actual": world.minutes(order, courier, actual) if world else actual}


def history(seed: int) -> list[dict[str, Any]]:
    """Orders of the training history with their outcomes, and what the courier's app recorded on each trip."""
    staff = couriers(seed)
    by_id = {courier.courier_id: courier for courier in staff}
    found = list(orders(np.random.default_rng([seed, 2]), HISTORY, staff, "h", HISTORY_PER_DAY))
    for row in found:
        order, courier = row["order"], by_id[row["order"]["courier_id"]]
        travel = travel_minutes(order, courier)
        row["trip"] = {
            "speed_kmh": round(order["route_distance_m"] / 1000 / travel * 60, 2),
            "arrived_after_minutes": round(row["actual"] - handover_minutes(order, courier), 2),
        }
    return found


def stream(seed: int, world: World | None = None, since: datetime = LONG_AGO) -> Iterator[dict[str, Any]]:
    """Orders that production will receive, with their outcomes."""
    return orders(np.random.default_rng([seed, 3]), STREAM, couriers(seed), "o", STREAM_PER_DAY, world, since)


def sample(n: int, name: str, seed: int, days: tuple[date, date], world: World | None = None) -> list[dict[str, Any]]:
    """Return `n` orders of an independent stream, spread over the days."""
    stream_id = int.from_bytes(name.encode()[:6], "big")
    rng = np.random.default_rng([seed, 4, stream_id])
    found = list(orders(rng, days, couriers(seed), "o", STREAM_PER_DAY, world))
    chosen = sorted(rng.choice(len(found), size=min(n, len(found)), replace=False))
    return [found[index] for index in chosen]


def write_tables(seed: int, data: Path, day: date = HISTORY[1]) -> int:
    """Fill the online feature table `features.db` with the records of a day. Returns how many there are."""
    records = couriers_at(seed, day)
    with closing(sqlite3.connect(data / "features.db", timeout=30)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS couriers (courier_id TEXT PRIMARY KEY, avg_speed_kmh REAL, "
            "deliveries_30d INTEGER, on_time_rate REAL, hired_on TEXT, updated_on TEXT)"
        )
        connection.execute("DELETE FROM couriers")
        connection.executemany(
            "INSERT INTO couriers VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    c.courier_id,
                    c.avg_speed_kmh,
                    c.deliveries_30d,
                    c.on_time_rate,
                    c.hired_on.isoformat(),
                    day.isoformat(),
                )
                for c in records
            ],
        )
    return len(records)


def write_stream(seed: int, data: Path, world: World | None = None, since: datetime = LONG_AGO) -> None:
    """Write the stream of production in event-time order."""
    temporary = data / f".{NAMES.file}"
    with temporary.open("w", encoding="utf-8") as handle:
        for row in stream(seed, world, since):
            handle.write(json.dumps(row, separators=(",", ":")) + "\n")
    temporary.replace(data / NAMES.file)
