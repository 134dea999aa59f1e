//! A certificate authority of one server, made by openssl: its own certificate, and one for 127.0.0.1 and localhost.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

/// The files of it.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    /// What a client trusts.
    pub(crate) authority: PathBuf,
    /// What the server shows.
    pub(crate) certificate: PathBuf,
    /// The server's key.
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Makes them in `folder`.
    pub(crate) fn make(folder: &Path) -> Self {
        let path = |name: &str| folder.join(name);
        let (authority, authority_key) = (path("ca.pem"), path("ca.key"));
        let (certificate, key, request) = (path("server.pem"), path("server.key"), path("server.csr"));
        let extensions = path("server.ext");
        std::fs::write(&extensions, "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        openssl(
            Command::new("openssl")
                .args(["req", "-x509", "-days", "30", "-subj", "/CN=Platewatch test authority"])
                .args(["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"])
                .args(curve)
                .arg("-keyout")
                .arg(&authority_key)
                .arg("-out")
                .arg(&authority),
        );
        openssl(
            Command::new("openssl")
                .args(["req", "-subj", "/CN=127.0.0.1"])
                .args(curve)
                .arg("-keyout")
                .arg(&key)
                .arg("-out")
                .arg(&request),
        );
        openssl(
            Command::new("openssl")
                .args(["x509", "-req", "-days", "30", "-CAcreateserial", "-in"])
                .arg(&request)
                .arg("-CA")
                .arg(&authority)
                .arg("-CAkey")
                .arg(&authority_key)
                .arg("-extfile")
                .arg(&extensions)
                .arg("-out")
                .arg(&certificate),
        );
        Self { authority, certificate, key }
    }
}

fn openssl(command: &mut Command) {
    let output = run(command, "openssl");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
