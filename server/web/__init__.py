"""The visitor's doors: assets, config, chat socket, booking requests, the page of a meeting."""
