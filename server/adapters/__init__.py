"""Which adapter a site uses, opened with its settings; the table the built-in ones keep their records in."""
