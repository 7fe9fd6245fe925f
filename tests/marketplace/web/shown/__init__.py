"""The pages of the gallery, by who they are for."""
