"""Features of an order, computed in one place for training and serving.

`transform` takes one row per order and returns one row of numbers per order. Unknown values are NaN. Units are those
of the column names; `placed_at` is a UTC time stamp, `timezone` the customer's IANA time zone.
"""

import numpy as np
import pandas as pd

__version__ = "2.0.1"

LEVELS: dict[str, dict[str, int]] = {
    "vehicle": {"bicycle": 0, "scooter": 1, "car": 2},
    "zone": {"suburbs": 0, "hills": 1, "harbour": 2, "centre": 3},
    "weather": {"clear": 0, "rain": 1, "snow": 2},
}

FEATURES = (
    "distance_km",
    "kitchen_minutes",
    "local_hour",
    "weekend",
    "temperature_c",
    "items",
    "basket_value",
    "vehicle",
    "zone",
    "weather",
    "courier_speed_kmh",
    "courier_deliveries_30d",
    "courier_on_time_rate",
)


def transform(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the features of each order, float64, in the order of FEATURES, on the index of `orders`."""
    result = pd.DataFrame(index=orders.index)
    for name in ("distance_km", "kitchen_minutes", "temperature_c", "basket_value"):
        result[name] = pd.to_numeric(orders[name])
    result["items"] = pd.to_numeric(orders["items"]).clip(upper=6)
    placed = pd.to_datetime(orders["placed_at"], utc=True, format="ISO8601")
    result["local_hour"], result["weekend"] = _local_time(placed, orders["timezone"])
    for name, codes in LEVELS.items():
        result[name] = pd.to_numeric(orders[name].map(codes))
    for name in ("courier_speed_kmh", "courier_deliveries_30d", "courier_on_time_rate"):
        result[name] = pd.to_numeric(orders[name])
    return result[list(FEATURES)].astype("float64")


def _local_time(placed: pd.Series, zones: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Hour of the day with its fraction, and 1 on Saturday and Sunday, both on the customer's clock."""
    hour = pd.Series(np.nan, index=placed.index)
    weekend = pd.Series(np.nan, index=placed.index)
    for zone in zones.unique():
        local = placed[zones == zone].dt.tz_convert(zone).dt
        hour[zones == zone] = local.hour + local.minute / 60
        weekend[zones == zone] = (local.dayofweek >= 5).astype(float)
    return hour, weekend
