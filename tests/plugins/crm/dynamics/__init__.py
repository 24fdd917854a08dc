"""The Dynamics 365 adapter beyond the kit: records, texts, what went into others, and news."""
