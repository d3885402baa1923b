"""Byte counts for people."""

KIB = 1024
MIB = 1024 * 1024


def spell(count: int) -> str:
    if count < KIB:
        return f"{count} bytes"
    if count < MIB:
        return f"{count / KIB:.1f} KiB"
    if count < MIB * KIB:
        return f"{count / MIB:.1f} MiB"
    return f"{count / MIB / KIB:.1f} GiB"
