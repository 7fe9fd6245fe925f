"""Many consultations at once, a worker killed before their pledges run out, and all counted again from the rows."""
