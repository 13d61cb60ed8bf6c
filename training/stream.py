"""What a process that only sends the stored stream has to know of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Names:
    """Entity key, event time, key of a batch and file of a workload's stream, and when an outcome becomes a label.

    An outcome is known `label_delay` after it has happened: at the event time, or where `lasts` is given, as many
    `lasts` after it as the outcome says (a delivery of 31.5 minutes, for instance).
    """

    entity: str
    event_time: str
    batch_key: str
    file: str
    label_delay: timedelta
    lasts: timedelta | None = None

    def known_at(self, at: datetime, actual: float) -> datetime:
        """Return when the outcome `actual` of the event time `at` becomes a label."""
        return at + (self.lasts * actual if self.lasts else timedelta()) + self.label_delay
