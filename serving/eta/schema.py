"""What a client sends."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ZONES = available_timezones()
SAMPLE: dict[str, Any] = {
    "order_id": "sample",
    "placed_at": "2026-08-31T17:20:00Z",
    "timezone": "Africa/Tunis",
    "route_distance_m": 3200.0,
    "vehicle": "scooter",
    "zone": "harbour",
    "weather": "clear",
    "temperature_c": 21.5,
    "kitchen_seconds": None,
    "items": 2,
    "basket_value": 27.4,
    "courier_id": "c0001",
}
"""An order that the readiness check predicts."""


def _moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("give the time with its offset, for instance with a final Z")
    return text


def _zone(text: str) -> str:
    if text not in ZONES:
        raise ValueError("not an IANA time zone")
    return text


class Order(BaseModel):
    """One order. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{**SAMPLE}]})

    order_id: str = Field(min_length=1, max_length=64, description="the order")
    placed_at: Annotated[str, AfterValidator(_moment)] = Field(description="time of the order, ISO 8601 with offset")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(description="the customer's IANA time zone")
    route_distance_m: float = Field(gt=0, le=100_000, description="routed distance, metres")
    vehicle: Literal["bicycle", "scooter", "car"] = Field(description="the courier's vehicle")
    zone: Literal["suburbs", "hills", "harbour", "centre"] = Field(description="part of the city")
    weather: Literal["clear", "rain", "snow"] = Field(description="weather on the way")
    temperature_c: float = Field(ge=-60, le=60, description="outside temperature, degrees Celsius")
    kitchen_seconds: float | None = Field(
        ge=0, le=36_000, description="expected kitchen time, seconds; null if unknown"
    )
    items: int = Field(ge=1, le=500, description="items in the basket")
    basket_value: float = Field(ge=0, le=100_000, description="price of the basket, euro")
    courier_id: str = Field(min_length=1, max_length=64, description="who delivers")


class Batch(BaseModel):
    """Several orders."""

    model_config = ConfigDict(extra="forbid")

    orders: list[Order] = Field(description="orders, each as for /predict")
