//! Whether MySQL has what local storage has: by hour and checkpoint, counts and sums that do not depend on any order; and
//! setting right what differs.
//!
//! **What is compared.** Each server's groups (hour, KKMC) with those of the rows that belong on it: a row on the wrong
//! server is surplus there and missing where it should be, a row on both is surplus on one. Through MyCat there is one
//! server with all rows, as MyCat shows them. Rows that a target refused are left out; they are in the rejects. A GCXH
//! that came again after its TTL is stored twice here and once there, as it came first ([`repeats`]). An instance that
//! is away is not a difference: it ends the comparison.
//!
//! **While the appliance runs.** Local rows are read from the disk in the state of one commit ([`crate::store::Frozen`]),
//! before MySQL is asked and again after. A group that is the same in both states and holds no row that the mirror has
//! not acknowledged must be the same in MySQL. One that is still being written is compared again until it no longer
//! changes or the time allowed is over; rows that wait for their mirror all that time are a difference.
//!
//! It does not know how a difference is shown.

mod compare;
mod error;
mod group;
mod handle;
mod local;
mod range;
mod repair;
mod repeats;
mod target;

pub use compare::{Difference, Report};
pub use handle::Audit;
pub use range::Range;
pub use repair::Stranger;
