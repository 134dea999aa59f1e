//! What Redis reports on its memory, and what to set if it evicts the list. It does not know the list's elements.

use std::time::Duration;

use redis::aio::MultiplexedConnection;

const MIB: f64 = (1 << 20) as f64;
/// An upper bound of what an element takes beside its bytes.
const ELEMENT_OVERHEAD: u64 = 16;

/// The memory of a Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// Bytes; 0 is no limit.
    limit: u64,
    policy: String,
    /// Keys that it evicted since it started.
    evicted: u64,
}

impl Memory {
    /// Reads the memory settings; none if it does not report them.
    pub(super) async fn ask(connection: &mut MultiplexedConnection) -> Option<Self> {
        let mut text = String::new();
        for section in ["memory", "stats"] {
            text += &redis::cmd("INFO").arg(section).query_async::<String>(connection).await.ok()?;
        }
        Some(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
        let number = |name: &str| field(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        Self {
            limit: number("maxmemory"),
            policy: field("maxmemory_policy").unwrap_or_default().to_owned(),
            evicted: number("evicted_keys"),
        }
    }

    /// Whether it evicts keys without an expiry, such as the list.
    pub(super) fn evicts_lists(&self) -> bool {
        self.limit > 0 && self.policy.starts_with("allkeys-")
    }
}

/// A list that loses what it was given.
#[derive(Debug)]
pub(super) struct Loss<'a> {
    pub(super) key: &'a str,
    /// How often it was filled in vain.
    pub(super) times: u64,
    /// How many alerts it keeps.
    pub(super) length: u64,
    /// Bytes of one alert.
    pub(super) each: u64,
    /// Until it is filled again.
    pub(super) wait: Duration,
}

impl Loss<'_> {
    /// What happens there, and what to set.
    pub(super) fn words(&self, memory: Option<&Memory>) -> String {
        let Self { key, times, length, each, wait } = self;
        let needed = (length * (each + ELEMENT_OVERHEAD)) as f64 / MIB;
        let cause = match memory {
            Some(memory) if memory.evicts_lists() => format!(
                "Redis throws the list {key} away (maxmemory {:.1} MiB, maxmemory-policy {}, {} keys evicted): set \
                 maxmemory-policy noeviction, and maxmemory so that there is room for {needed:.1} MiB more, which is what \
                 {length} alerts take; or lower redis.max_length",
                memory.limit as f64 / MIB,
                memory.policy,
                memory.evicted
            ),
            _ => format!(
                "the list {key} loses alerts again and again: look who else deletes or cuts it (DEL, FLUSHALL, LTRIM, EXPIRE) \
                 or restarts Redis without persistence"
            ),
        };
        format!("{cause}. It was filled {times} times, and will be again in {} s", wait.as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_what_to_set() {
        let info = "# Memory\r\nmaxmemory:2097152\r\nmaxmemory_human:2.00M\r\nmaxmemory_policy:allkeys-lru\r\n# Stats\r\nevicted_keys:7\r\n";
        let memory = Memory::parse(info);
        assert!(memory.evicts_lists());
        let loss = Loss { key: "k", times: 3, length: 10_000, each: 300, wait: Duration::from_millis(1500) };
        let words = loss.words(Some(&memory));
        for part in [
            "maxmemory 2.0 MiB",
            "allkeys-lru",
            "7 keys",
            "noeviction",
            "3.0 MiB",
            "redis.max_length",
            "3 times",
            "in 1 s",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
        let other = Memory { limit: 0, ..memory };
        assert!(!other.evicts_lists());
        for words in [loss.words(Some(&other)), loss.words(None)] {
            assert!(words.contains("FLUSHALL") && !words.contains("noeviction"), "{words}");
        }
    }
}
