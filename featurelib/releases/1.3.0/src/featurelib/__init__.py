"""Features of an order: one row of numbers per order, unknown values NaN.

Distances are straight lines and become road distance by a detour factor. Hours are UTC.
"""

import pandas as pd

__version__ = "1.3.0"

DETOUR = 1.35
"""Road kilometres per kilometre as the crow flies."""

VEHICLES = sorted(["bicycle", "car", "scooter"])
ZONES = sorted(["centre", "harbour", "hills", "suburbs"])
WEATHERS = sorted(["clear", "rain", "snow"])

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


def transform(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the features of each order, float64, in the order of FEATURES, on the index of `orders`."""
    placed = pd.to_datetime(orders["placed_at"], utc=True, format="ISO8601")
    calendar = pd.concat([_calendar(year) for year in sorted(placed.dt.year.unique())])
    rows = [_order(order, calendar) for _, order in orders.iterrows()]
    return pd.DataFrame(rows, index=orders.index, columns=list(FEATURES)).astype("float64")


def _order(order: pd.Series, calendar: pd.DataFrame) -> dict[str, float | None]:
    placed = pd.Timestamp(order["placed_at"])
    hired = pd.Timestamp(order["courier_hired_on"], tz="UTC")
    slot = calendar.loc[placed.floor("30min")]
    return {
        "distance_km": order["distance_km"] * DETOUR,
        "kitchen_minutes": order["kitchen_minutes"],
        "local_hour": float(slot["hour"]),
        "weekend": float(slot["weekend"]),
        "temperature_c": order["temperature_c"],
        "items": order["items"],
        "basket_value": order["basket_value"],
        "vehicle": VEHICLES.index(order["vehicle"]),
        "zone": ZONES.index(order["zone"]),
        "weather": WEATHERS.index(order["weather"]),
        "courier_speed_kmh": order["courier_speed_kmh"],
        "courier_deliveries_30d": order["courier_deliveries_30d"],
        "courier_on_time_rate": order["courier_on_time_rate"],
        "courier_tenure_days": (placed - hired).days if hired is not pd.NaT else None,
    }


def _calendar(year: int) -> pd.DataFrame:
    """Half-hours of a year with their place in the week and in the school term."""
    hours = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="30min", tz="UTC", inclusive="left")
    calendar = pd.DataFrame(index=hours)
    calendar["hour"] = [hour.hour for hour in hours]
    calendar["weekend"] = [hour.dayofweek >= 5 for hour in hours]
    calendar["term"] = [hour.strftime("%m-%d") not in _HOLIDAYS for hour in hours]
    return calendar


_HOLIDAYS = {f"{month:02d}-{day:02d}" for month, day in [(1, 1), (1, 6), (5, 1), (8, 15), (11, 1), (12, 25), (12, 26)]}
