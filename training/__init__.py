"""The training job: makes the synthetic history, trains and registers models, and sends the stored orders."""
