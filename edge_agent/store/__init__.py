"""SQLite: one file per group of tables; every write through `writing()`."""
