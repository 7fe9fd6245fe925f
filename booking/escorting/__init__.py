"""The worker's side of an escort: hers to see, the deeds that her phone tells, and what those say of the visit."""
