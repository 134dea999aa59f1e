//! Pure placement: MyCat murmur ring and the columnar segment
