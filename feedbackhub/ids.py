"""Public ids: UUIDs whose first 48 bits are the time (version 7), so that their index grows at one end."""

import os
import time
import uuid


def make_public_id() -> uuid.UUID:
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)
