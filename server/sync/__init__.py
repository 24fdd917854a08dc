"""What the CRM hears: people, companies, conversations, meetings; how values are mapped; whether both sides agree."""
