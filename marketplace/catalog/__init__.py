"""What can be booked and where: sites, providers, offers, search, and the kinds of benefits."""
