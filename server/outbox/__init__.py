"""Deliveries: what the outside must hear, as rows; leased, delivered, retried, given up."""
