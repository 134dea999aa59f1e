//! How the roads flow: the present travel time of each segment, its level, its own profile by hour, and what the next
//! hours will take. It knows numbers, not where they are kept or shown.
//!
//! **Level**: the index is the median time of the cars that arrived within the last 15 minutes, over the time of a free
//! road. Fewer than five cars say nothing; then those of the last hour count, and with fewer of these there is no
//! level.
//!
//! **The next hours**: the profile's median of that hour, times 1 + (present median ÷ profile of the present hour − 1) ×
//! [`DECAY`]^(hours from now to the middle of that hour).

mod level;
mod merge;
mod road;

#[cfg(test)]
mod tests;

pub use level::{RoadBasis, RoadLevel, RoadsState};
pub use merge::merged;
pub use road::{DECAY, Road, Roads};
