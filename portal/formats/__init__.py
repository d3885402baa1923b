"""How are times and dates written where a page shows no better? Exact, sortable, with the zone."""
