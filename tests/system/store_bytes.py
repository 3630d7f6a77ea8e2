"""The objects of an embedded store as bytes, read and written while nobody else has it open (src/adapters/objects_lmdb/layout.hpp), and
what can become of bytes (src/stored/envelope.hpp)."""
import struct

import lmdb
import xxhash

HEADER = 12  # mark and version, before an object's bytes
ENVELOPE = 16


def open_store(directory):
    return lmdb.open(str(directory), map_size=1 << 30, max_dbs=0)


def read_rows(directory):
    """Header and bytes of each object, by name."""
    with open_store(directory) as store, store.begin() as transaction:
        return {name.decode(): bytes(row) for name, row in transaction.cursor() if name != b"!store"}


def write_rows(directory, rows):
    with open_store(directory) as store, store.begin(write=True) as transaction:
        for name, row in rows.items():
            transaction.put(name.encode(), row)


def reseal(name, message, form):
    """In an envelope whose checksum fits."""
    number = struct.pack("<H", form)
    seed = xxhash.xxh3_64_intdigest(name.encode() + b"\0" + number)
    return b"RCLM\1\0" + number + struct.pack("<Q", xxhash.xxh3_64_intdigest(message, seed)) + message


def flip(content):
    middle = (len(content) + ENVELOPE) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]


def in_row(damage):
    return lambda name, row: row[:HEADER] + damage(name, row[HEADER:])


NO_ROW = "no row of the store's"  # not even a version can be read
# What becomes of an object, from its name and its row.
DAMAGES = {
    "cut off": in_row(lambda name, content: content[:len(content) // 2]),
    "cut off in the envelope": in_row(lambda name, content: content[:10]),
    "empty": in_row(lambda name, content: b""),
    "longer": in_row(lambda name, content: content + bytes(1000)),
    "flipped": in_row(lambda name, content: flip(content)),
    "of a newer envelope": in_row(lambda name, content: content[:4] + b"\2" + content[5:]),
    "of a newer format": in_row(lambda name, content: reseal(name, content[ENVELOPE:], 2)),
    "of another name": in_row(lambda name, content: reseal(name + "0", content[ENVELOPE:], 1)),
    "no message": in_row(lambda name, content: reseal(name, b"\xff" * 100, 1)),
    NO_ROW: lambda name, row: b"no row",
}
