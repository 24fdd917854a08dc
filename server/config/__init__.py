"""Site folder → immutable config version: load, check, apply, diff, roll back. Ask `service`; write schemas on `schema.Part`."""
