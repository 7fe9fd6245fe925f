"""A provider's escort workers as its people look after them: who they are, when they work and when they are away."""
