"""Where the clinic keeps what it was sent: one way to speak to SQLite and to PostgreSQL."""
