"""Routing: whose visitor this is (rules, owners, segments) and whose turn it is (pools, fair pick, ledger)."""
