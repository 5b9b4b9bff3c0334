"""What happened: seals, batches, draws, letters, responses, and who did what when, in SQLite or PostgreSQL."""
