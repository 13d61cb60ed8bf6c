"""The serving side's way from raw orders to features: the courier table joined, units converted, then featurelib."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import featurelib
import pandas as pd

from serving.eta.couriers import Couriers

METRES_PER_KM = 1000.0
SECONDS_PER_MINUTE = 60.0


class Preprocessor:
    """Turns raw payloads into model features."""

    def __init__(self, data: Path) -> None:
        self.couriers = Couriers(data / "features.db")

    def transform(self, orders: Sequence[dict[str, Any]]) -> pd.DataFrame:
        """Return one row of features per order, float64, NaN where a value is unknown."""
        table = self.couriers.get({order["courier_id"] for order in orders})
        frame = pd.DataFrame([self.row(order, table.get(order["courier_id"], {})) for order in orders])
        result: pd.DataFrame = featurelib.transform(frame)
        return result

    def row(self, order: dict[str, Any], courier: dict[str, Any]) -> dict[str, Any]:
        """Return featurelib's input for one order."""
        distance_km = order["route_distance_m"] / METRES_PER_KM
        kitchen_minutes = minutes(order["kitchen_seconds"])
        courier_speed_kmh = courier.get("avg_speed_kmh")
        return {
            "placed_at": order["placed_at"],
            "timezone": order["timezone"],
            "distance_km": distance_km,
            "vehicle": order["vehicle"],
            "zone": order["zone"],
            "weather": order["weather"],
            "temperature_c": order["temperature_c"],
            "kitchen_minutes": kitchen_minutes,
            "items": order["items"],
            "basket_value": order["basket_value"],
            "courier_speed_kmh": courier_speed_kmh,
            "courier_deliveries_30d": courier.get("deliveries_30d"),
            "courier_on_time_rate": courier.get("on_time_rate"),
            "courier_hired_on": courier.get("hired_on"),
        }


def minutes(seconds: float | None) -> float | None:
    """Convert a duration. None, which is unknown, stays unknown."""
    if seconds is None:
        return None
    return seconds / SECONDS_PER_MINUTE
