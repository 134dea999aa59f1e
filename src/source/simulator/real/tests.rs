//! Traffic on real roads as a whole: the truth that is given out is what the lines show.

mod cameras;
mod support;
mod vehicles;
