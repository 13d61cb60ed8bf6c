"""Names in the stored stream, for processes that only send it."""

from datetime import timedelta

from training.stream import Names
from training.table import schema as schemas


class Part:
    """The stream's names of one workload."""

    def __init__(self, workload: str) -> None:
        schema = schemas.load(workload)
        self.NAMES = Names(
            entity=schema.entity,
            event_time=schema.event_time,
            batch_key="rows",
            file="rows.jsonl",
            label_delay=timedelta(hours=2),
        )
