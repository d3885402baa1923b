"""Which real parts do the tests stand on? Servers and programs from Debian, started here and gone afterwards."""
