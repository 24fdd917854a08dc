"""Site folder → immutable config version: check, apply, diff, roll back. Ask `service`; derive from `schema.Part`."""
