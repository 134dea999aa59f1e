//! The target `viid` of docs/fuzzing.md, guided by coverage. What it looks for, the library knows.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| platewatch::fuzz::run("viid", data));
