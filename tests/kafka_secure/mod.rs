//! A broker with TLS, logins, rights and wrong addresses: what `check-config --connect` says about it, and consuming and
//! shipping through it.

mod check;
mod guarded;
mod through;
