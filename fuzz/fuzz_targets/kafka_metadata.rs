#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| platewatch::fuzz::run("kafka_metadata", data));
