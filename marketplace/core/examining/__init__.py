"""Opening files that came from outside: in a short-lived process of its own that limits itself, never in ours."""
