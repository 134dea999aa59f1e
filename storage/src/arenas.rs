//! How many arenas glibc's allocator uses. It does not know what is allocated.
//!
//! An arena keeps what is freed in it for what comes next, and glibc makes up to eight for each processor. A thread stays with its
//! arena, so what many threads need now and then is kept once for each: docs/load.md measured 960 MiB. Source: mallopt(3).

/// From now on this process has at most one arena for each processor, and two at least. `MALLOC_ARENA_MAX` in the environment goes before.
/// Call it before threads are started. Another allocator than glibc's is left as it is.
pub fn limit_arenas() {
    if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        set(i32::try_from(processors.max(2)).unwrap_or(i32::MAX));
    }
}

#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "the standard library cannot set it")]
fn set(arenas: i32) {
    // SAFETY: mallopt takes any numbers, and refuses by its result what it does not know.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
}

#[cfg(not(target_env = "gnu"))]
fn set(_: i32) {}
