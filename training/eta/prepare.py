"""The training side's way from raw orders to features: the courier table joined, units converted, then featurelib."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import featurelib
import pandas as pd

FEATURES: tuple[str, ...] = tuple(featurelib.FEATURES)
METRES_PER_KM = 1000.0
SECONDS_PER_MINUTE = 60.0


def courier_table(data: Path) -> dict[str, dict[str, Any]]:
    """Courier history by courier id."""
    with closing(sqlite3.connect(f"file:{data / 'features.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return {row["courier_id"]: dict(row) for row in connection.execute("SELECT * FROM couriers")}


def features(orders: Sequence[dict[str, Any]], data: Path) -> pd.DataFrame:
    """Return one row of FEATURES per order, float64, NaN where a value is unknown."""
    table = courier_table(data)
    frame = pd.DataFrame([_row(order, table.get(order["courier_id"], {})) for order in orders])
    result: pd.DataFrame = featurelib.transform(frame)
    return result


def _row(order: dict[str, Any], courier: dict[str, Any]) -> dict[str, Any]:
    kitchen = order["kitchen_seconds"]
    return {
        "placed_at": order["placed_at"],
        "timezone": order["timezone"],
        "distance_km": order["route_distance_m"] / METRES_PER_KM,
        "vehicle": order["vehicle"],
        "zone": order["zone"],
        "weather": order["weather"],
        "temperature_c": order["temperature_c"],
        "kitchen_minutes": None if kitchen is None else kitchen / SECONDS_PER_MINUTE,
        "items": order["items"],
        "basket_value": order["basket_value"],
        "courier_speed_kmh": courier.get("avg_speed_kmh"),
        "courier_deliveries_30d": courier.get("deliveries_30d"),
        "courier_on_time_rate": courier.get("on_time_rate"),
        "courier_hired_on": courier.get("hired_on"),
    }
