"""How providers are: their calls counted, their answers timed, and what customers are told of it."""
