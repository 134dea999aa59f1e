//! Reading what the caller wrote, from a query string or a JSON body alike: text, whole numbers, times, choices.
//!
//! Absent, null and empty mean "not given". A value of the wrong kind is a 400 that names the field and what it takes, and
//! so is a field that does not exist, for which the nearest that does is named. Both are bounded in number and length, and
//! read in linear time. It does not know which endpoint asks.

mod days;
mod extract;
mod parse;
mod people;
mod values;

pub(super) use days::{YEARS, date_of};
pub(super) use extract::{BodyFields, QueryFields};
pub(super) use people::no_hazard;
pub(super) use values::{
    Fields, MAX_FIELDS, MAX_NUMBER, MAX_TEXT_CHARS, MAX_WHOLE, SECONDS_PER_DAY, shortened, too_long,
};
