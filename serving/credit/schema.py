"""What a client sends."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SAMPLE: dict[str, Any] = {
    "application_id": "sample",
    "submitted_at": "2026-08-31T09:20:00Z",
    "customer_id": "p00001",
    "amount": 8000.0,
    "term_months": 36,
    "purpose": "car",
    "employment": "permanent",
    "months_employed": None,
    "annual_income": 31200.0,
    "home": "rent",
    "dependents": 1,
    "form_seconds": 410.0,
}
"""An application that the readiness check predicts."""


def _moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("give the time with its offset, for instance with a final Z")
    return text


class Order(BaseModel):
    """One application. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", title="Application", json_schema_extra={"examples": [{**SAMPLE}]})

    application_id: str = Field(min_length=1, max_length=64, description="the application")
    submitted_at: Annotated[str, AfterValidator(_moment)] = Field(description="when it was sent, ISO 8601 with offset")
    customer_id: str = Field(min_length=1, max_length=64, description="who applies")
    amount: float = Field(ge=100, le=100_000, description="amount asked for, euro")
    term_months: int = Field(ge=1, le=120, description="months to repay it in")
    purpose: Literal["car", "renovation", "moving", "other", "medical", "consolidation"] = Field(
        description="what it is for"
    )
    employment: Literal["retired", "permanent", "fixed_term", "self_employed", "unemployed"] = Field(
        description="kind of employment"
    )
    months_employed: float | None = Field(
        ge=0, le=800, description="months with the present employer; null if there is none, or if unknown"
    )
    annual_income: float = Field(gt=0, le=1_000_000, description="net income, euro a year")
    home: Literal["own", "mortgage", "with_family", "rent"] = Field(description="housing")
    dependents: int = Field(ge=0, le=20, description="people who live on the income")
    form_seconds: float = Field(ge=0, le=86_400, description="time taken to fill in the form, seconds")


class Batch(BaseModel):
    """Several applications."""

    model_config = ConfigDict(extra="forbid")

    applications: list[Order] = Field(description="applications, each as for /predict")
