"""The Salesforce adapter beyond the kit: signing in, people, records, and the fake itself."""
