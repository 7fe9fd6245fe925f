"""The waiting list: joining, matching freed places, and whose offer it is."""
