"""What a provider sells, at its desk: services, and the places they draw on."""
