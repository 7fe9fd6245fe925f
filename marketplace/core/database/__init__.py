"""The database: its connections and what they wait for, `transaction()`, and columns that tables share."""
