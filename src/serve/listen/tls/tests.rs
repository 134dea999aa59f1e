use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};

use super::*;

/// A certificate for localhost with this number, and its key, as PEM.
fn made(number: u64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(number));
    params.not_after = date_time_ymd(2051, 2, 28);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Both files in a folder.
fn files(folder: &Path, certificate: &str, key: &str) -> TlsFiles {
    let files = TlsFiles::new(folder.join("server.pem"), folder.join("server.key"));
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    files
}

/// The certificate that is shown.
fn shown(tls: &Tls) -> Vec<u8> {
    tls.shown.0.load().cert[0].to_vec()
}

#[test]
fn what_is_wrong_with_the_files_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = made(1);
    let (_, other) = made(2);
    let cut = &certificate[..certificate.len() / 2];
    let damaged = certificate.replacen("MII", "MIJ", 1);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (certificate, key, said) in [
        ("", &*key, "holds no certificate"),
        ("Bag Attributes\n", &key, "holds no certificate"),
        (cut, &key, "holds no certificate"),
        (&damaged, &key, "holds no certificate"),
        (&certificate, "", "holds no private key"),
        (&certificate, &certificate, "holds no private key"),
        (&certificate, encrypted, "openssl pkey"),
        (&certificate, &other, "is not that of the certificate"),
    ] {
        let error = Tls::load(files(folder.path(), certificate, key)).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("api.tls_"), "{said}: {error}");
    }
    let nothing = TlsFiles::new(folder.path().join("nothing.pem"), folder.path().join("server.key"));
    let error = Tls::load(nothing).unwrap_err().to_string();
    assert!(error.starts_with("api.tls_certificate: cannot read ") && error.contains("nothing.pem"), "{error}");
}

#[test]
fn the_end_of_a_certificate_is_read_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = made(1);
    let tls = Tls::load(files(folder.path(), &certificate, &key)).unwrap();
    // 2051 is written as a generalized time.
    assert_eq!(tls.ends_at().map(validity::text).as_deref(), Some("2051-02-28T00:00:00Z"));
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2031, 12, 24);
    let key = KeyPair::generate().unwrap();
    let short = params.self_signed(&key).unwrap();
    assert_eq!(validity::ends_at(short.der()).map(validity::text).as_deref(), Some("2031-12-24T00:00:00Z"));
    for cut in 0..short.der().len() {
        assert_eq!(validity::ends_at(&short.der()[..cut]), None, "{cut}");
    }
    let noise: Vec<u8> = (0..=255).collect();
    assert!((0..256).all(|at| validity::ends_at(&noise[at..]).is_none()));
}

#[test]
fn new_files_are_used_once_both_are_there_and_broken_ones_never() {
    let folder = tempfile::tempdir().unwrap();
    let (first, key) = made(1);
    let tls = Tls::load(files(folder.path(), &first, &key)).unwrap();
    let of_first = shown(&tls);
    let mut stamp = *tls.read.lock();
    let mut look = |asked: bool| stamp = tls.look(asked, stamp);
    look(false);
    assert_eq!(shown(&tls), of_first);
    // The certificate comes first, and its key later.
    let (second, key) = made(2);
    std::fs::write(&tls.files.certificate, &second).unwrap();
    look(false);
    look(false);
    assert_eq!(shown(&tls), of_first, "a certificate without its key is not used");
    std::fs::write(&tls.files.key, &key).unwrap();
    look(false);
    assert_eq!(shown(&tls), of_first, "the files may still be changing");
    look(false);
    let of_second = shown(&tls);
    assert_ne!(of_second, of_first);
    std::fs::write(&tls.files.certificate, "-----BEGIN CERTIFICATE-----\n").unwrap();
    look(false);
    look(false);
    std::fs::remove_file(&tls.files.certificate).unwrap();
    look(true);
    assert_eq!(shown(&tls), of_second, "the one of before stays");
    std::fs::write(&tls.files.certificate, &second).unwrap();
    std::fs::write(&tls.files.key, &key).unwrap();
    look(true);
    assert_eq!(shown(&tls), of_second);
    files(folder.path(), &first, &key);
    look(true);
    assert_eq!(shown(&tls), of_second, "not with the key of another");
}

#[test]
fn a_key_that_everybody_can_read_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = made(1);
    let files = files(folder.path(), &certificate, &key);
    for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
        std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(mode)).unwrap();
        let loaded = files.load(&ring::default_provider()).unwrap();
        assert_eq!(loaded.is_readable_by_others, expected, "{mode:o}");
    }
}
