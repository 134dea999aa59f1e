//! The machine: processors, memory, limits of a process, and whether its clock is set by others. It reads `/proc` and asks
//! `timedatectl`; where there is none of these it says that it does not know.

use std::process::Command;

use crate::commands::connect::report::Report;

const MACHINE: &str = "machine";
const CLOCK: &str = "clock";
const LIMITS: &str = "limits";
/// Files that RocksDB, clients and servers have open together on a busy appliance.
const ENOUGH_FILES: u64 = 8_192;
const MIB: u64 = 1 << 20;

pub(super) fn check(report: &mut Report) {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let about = format!(
        "platewatch {} on {} {}, {processors} processors",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        kernel.trim()
    );
    match processors {
        1 => report
            .advice(MACHINE, format!("{about}: with one, queries wait while records are taken in; use two or more")),
        _ => report.sound(MACHINE, about),
    }
    match limit_of_files(&std::fs::read_to_string("/proc/self/limits").unwrap_or_default()) {
        None => report.advice(LIMITS, "it is not known how many files may be open: /proc/self/limits cannot be read"),
        Some(files) if files < ENOUGH_FILES => report.advice(
            LIMITS,
            format!(
                "{files} files may be open in this shell, and a busy appliance needs {ENOUGH_FILES}: LimitNOFILE=65536 in the unit \
                 (ours has it), or ulimit -n 65536"
            ),
        ),
        Some(files) => report.sound(LIMITS, format!("{files} files may be open")),
    }
    match clock_is_set() {
        Some(true) => report.sound(CLOCK, "it is synchronised"),
        Some(false) => report.problem(
            CLOCK,
            "it is not synchronised: records of now look early or late. Set up NTP (systemctl enable --now systemd-timesyncd, or chrony)",
        ),
        None => report.advice(CLOCK, "it is not known whether it is synchronised: there is no timedatectl; see that NTP runs"),
    }
}

/// Whether what RocksDB may use fits into what there is.
pub(super) fn memory(wanted: u64, report: &mut Report) {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let (Some(total), Some(free)) = (kibibytes(&text, "MemTotal:"), kibibytes(&text, "MemAvailable:")) else {
        report.advice("memory", "it is not known how much there is: /proc/meminfo cannot be read");
        return;
    };
    let about = format!("{} of {} MiB are free, store.memory is {} MiB", free / MIB, total / MIB, wanted / MIB);
    // Plate states, the evidence and requests come beside it.
    if wanted.saturating_mul(2) > total {
        report.advice(
            "memory",
            format!("{about}: more than half of the machine; lower it, since plates and requests need memory too"),
        );
    } else if wanted > free {
        report.advice("memory", format!("{about}: other programs use the rest; stop them, or lower store.memory"));
    } else {
        report.sound("memory", about);
    }
}

/// A line of `/proc/meminfo`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// The soft limit of `/proc/self/limits`.
fn limit_of_files(text: &str) -> Option<u64> {
    let soft = text.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

fn clock_is_set() -> Option<bool> {
    let output = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connect::report::Kind;

    #[test]
    fn what_the_kernel_says_is_read() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max processes             96000                96000                processes \n\
                      Max open files            1024                 1048576              files     \n";
        assert_eq!(limit_of_files(limits), Some(1024));
        assert_eq!(
            limit_of_files("Max open files            unlimited            unlimited            files"),
            Some(u64::MAX)
        );
        assert_eq!(limit_of_files(""), None);
        let memory = "MemTotal:       24689840 kB\nMemFree:        20 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(kibibytes(memory, "MemAvailable:"), Some(23_000_000 * 1024));
        assert_eq!(kibibytes(memory, "SwapTotal:"), None);
    }

    #[test]
    fn memory_that_is_not_there_is_said() {
        let kind = |wanted: u64| {
            let mut report = Report::default();
            memory(wanted, &mut report);
            report.findings.pop().unwrap().kind
        };
        assert_eq!((kind(1 << 20), kind(1 << 60)), (Kind::Sound, Kind::Advice));
    }
}
