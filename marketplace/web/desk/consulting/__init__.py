"""Pages of the desk about consultations: who waits, who is on shift, and the conversations themselves."""
