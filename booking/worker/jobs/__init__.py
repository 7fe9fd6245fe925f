"""The jobs of the worker's clock, by subject: what is done, and how often; `every` has them all."""
