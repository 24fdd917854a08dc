"""The demo: its website, its mails and how it starts and stops."""
