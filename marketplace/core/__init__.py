"""What everything stands on: database, clock, settings, errors, encryption, audit. It imports nothing of ours."""
