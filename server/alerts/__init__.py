"""Who hears at once when somebody important comes, wants to talk or books: by mail, Slack, text message, others."""
