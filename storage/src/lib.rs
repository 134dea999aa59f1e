//! Durable bytes: RocksDB column families, atomic commit, event-time TTL, and the sled catalogue
