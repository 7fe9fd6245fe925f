"""The conformance kit: what a provider's system must do before customers are offered it, tried one step at a time."""
