"""A provider of the usual Chinese check-up kind (docs/day-capacity-protocol.md): places per day, errors inside 200."""
