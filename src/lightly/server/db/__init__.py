"""The SQL database: SQLite on a laptop, PostgreSQL in production."""
