"""Delivery-time regression: minutes from order to door."""
