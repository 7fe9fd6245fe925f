"""The register's lines: every table of the schema, every column once, by subject; `every` has them all."""
