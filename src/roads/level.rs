//! The names of what is said of a segment, and the index at which each level begins.

/// How a segment flows, after GB/T 33171: by the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoadLevel {
    /// 畅通, below 1.2.
    Free,
    /// 基本畅通, below 1.5.
    MostlyFree,
    /// 轻度拥堵, below 1.8.
    Light,
    /// 中度拥堵, below 2.1.
    Moderate,
    /// 严重拥堵.
    Severe,
}

impl RoadLevel {
    /// All levels, the best first.
    pub const ALL: [Self; 5] = [Self::Free, Self::MostlyFree, Self::Light, Self::Moderate, Self::Severe];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::MostlyFree => "mostly_free",
            Self::Light => "light",
            Self::Moderate => "moderate",
            Self::Severe => "severe",
        }
    }

    /// The level of an index.
    pub fn of(index: f64) -> Self {
        match index {
            index if index < 1.2 => Self::Free,
            index if index < 1.5 => Self::MostlyFree,
            index if index < 1.8 => Self::Light,
            index if index < 2.1 => Self::Moderate,
            _ => Self::Severe,
        }
    }
}

/// What a present travel time is based on, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoadBasis {
    /// The cars of the last 15 minutes.
    Quarter,
    /// The cars of the last hour: there were too few in 15 minutes.
    Hour,
    /// There are too few cars, or the pair is not learnt.
    TooFew,
    /// The clocks of the two cameras are not known well enough.
    Clocks,
}

impl RoadBasis {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Hour, Self::TooFew, Self::Clocks];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "quarter",
            Self::Hour => "hour",
            Self::TooFew => "too_few",
            Self::Clocks => "clocks",
        }
    }
}

/// Whether anything is learnt of roads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoadsState {
    /// Evidence is off.
    #[default]
    Off,
    /// No pair has had cars enough in a whole hour.
    Learning,
    /// There are segments.
    Ready,
}

impl RoadsState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Learning, Self::Ready];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Learning => "learning",
            Self::Ready => "ready",
        }
    }
}
