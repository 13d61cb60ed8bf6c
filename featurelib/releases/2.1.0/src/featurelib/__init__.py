"""Features of an order, computed in one place for training and serving.

`transform` takes one row per order and returns one row of numbers per order. Unknown values are NaN: how they are
filled belongs to the model that was trained on them.

Input columns, and units:
    placed_at               UTC time stamp, ISO 8601
    timezone                the customer's IANA time zone
    distance_km             routed distance, kilometres
    vehicle, zone, weather  names, or the codes of LEVELS
    temperature_c           degrees Celsius
    kitchen_minutes         expected preparation time, minutes, NaN where the kitchen gave none
    items                   count
    basket_value            euro
    courier_speed_kmh       courier's average speed of the last 30 days, km/h
    courier_deliveries_30d  courier's deliveries in the last 30 days
    courier_on_time_rate    share of them on time
    courier_hired_on        date, ISO 8601
"""

import numpy as np
import pandas as pd

__version__ = "2.1.0"

LEVELS: dict[str, dict[str, int]] = {
    "vehicle": {"bicycle": 0, "scooter": 1, "car": 2},
    "zone": {"suburbs": 0, "hills": 1, "harbour": 2, "centre": 3},
    "weather": {"clear": 0, "rain": 1, "snow": 2},
}
"""Code of each category, in the order of its effect on travel time."""

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
    "courier_tenure_days",
)
"""Columns of the result, in order."""

_NANOSECONDS_PER_DAY = 86_400 * 10**9


def transform(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the features of each order, float64, in the order of FEATURES, on the index of `orders`."""
    result = pd.DataFrame(index=orders.index)
    for name in ("distance_km", "kitchen_minutes", "temperature_c", "items", "basket_value"):
        result[name] = pd.to_numeric(orders[name])
    placed = pd.to_datetime(orders["placed_at"], utc=True, format="ISO8601")
    result["local_hour"], result["weekend"] = _local_time(placed, orders["timezone"])
    for name, codes in LEVELS.items():
        result[name] = _codes(orders[name], codes)
    for name in ("courier_speed_kmh", "courier_deliveries_30d", "courier_on_time_rate"):
        result[name] = pd.to_numeric(orders[name])
    result["courier_tenure_days"] = _tenure(placed, orders["courier_hired_on"])
    return result[list(FEATURES)].astype("float64")


def _codes(column: pd.Series, codes: dict[str, int]) -> pd.Series:
    """Codes of names; a column of codes is passed on. What is neither is unknown."""
    if column.dtype == object:
        column = column.map(codes)
    return pd.to_numeric(column, errors="coerce")


def _local_time(placed: pd.Series, zones: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Hour of the day with its fraction, and 1 on Saturday and Sunday, both on the customer's clock."""
    hour = pd.Series(np.nan, index=placed.index)
    weekend = pd.Series(np.nan, index=placed.index)
    for zone in zones.unique():
        local = placed[zones == zone].dt.tz_convert(zone).dt
        hour[zones == zone] = local.hour + local.minute / 60
        weekend[zones == zone] = (local.dayofweek >= 5).astype(float)
    return hour, weekend


def _tenure(placed: pd.Series, hired: pd.Series) -> pd.Series:
    """Whole days between the courier's first day and the order."""
    since = pd.to_datetime(hired, utc=True)
    days = (placed.astype("int64") - since.astype("int64")) // _NANOSECONDS_PER_DAY
    return days.where(since.notna(), np.nan)
