"""Where a kind of benefit is to be had: covered, on request or not, by city, tier and site, from a day on."""
