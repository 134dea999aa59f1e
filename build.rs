//! Tells cargo that the embedded page is part of the program: a file added to it makes a new build.

fn main() {
    println!("cargo:rerun-if-changed=web-dist");
    println!("cargo:rerun-if-changed=docs-dist");
}
