//! What a plate type and a model say about a vehicle: its kind, its fuel, its brand and its province.
//!
//! The rules read the texts that a camera system writes (HPZL, CLPPXH, HPHM) and nothing else, so a caller may
//! remember an answer per pair of names.

use serde::{Deserialize, Serialize};

use crate::PlateClass;

/// Kind of vehicle, as the dashboard distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum VehicleType {
    /// 小型客车: passenger cars and small vans.
    #[serde(rename = "小型客车")]
    SmallPassenger = 0,
    /// 大型客车: buses and coaches.
    #[serde(rename = "大型客车")]
    LargePassenger = 1,
    /// 货车: lorries, tractor units, trailers, light trucks.
    #[serde(rename = "货车")]
    Goods = 2,
    /// 其他: motorcycles, farm tractors, and what cannot be determined.
    #[serde(rename = "其他")]
    Other = 3,
}

/// What a plate type says before the maker is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Yellow plates: buses and lorries of any maker.
    Large,
    /// Blue or green small plates: cars, small vans and light trucks.
    Small,
    /// Either size.
    AnyCar,
    /// Goods vehicles only.
    Goods,
    /// No car.
    Other,
    /// The camera did not read it: only the maker may decide.
    Unknown,
}

impl VehicleType {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::SmallPassenger, Self::LargePassenger, Self::Goods, Self::Other];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SmallPassenger => "小型客车",
            Self::LargePassenger => "大型客车",
            Self::Goods => "货车",
            Self::Other => "其他",
        }
    }

    /// The kind of a number written earlier (`kind as u8`).
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The kind of a vehicle by its plate type (HPZL, two digits) and model (CLPPXH).
    ///
    /// | HPZL (GA 24.7) | lorry maker | bus maker | any other maker |
    /// |---|---|---|---|
    /// | 01, 51 large | 货车 | 大型客车 | 大型客车 |
    /// | 02, 52 small | 货车 | 小型客车 | 小型客车 |
    /// | 03–06 embassy, consulate, foreign; 16 learner; 18 test; 20, 22 temporary; 23 police; 26, 27 Hong Kong, Macao; 31 armed police; 32 army | 货车 | 大型客车 | 小型客车 |
    /// | 13 low-speed goods, 15 trailer | 货车 | 货车 | 货车 |
    /// | 07–12, 17, 19, 21, 24 motorcycles; 14, 25 tractors | 其他 | 其他 | 其他 |
    /// | `-`, empty, 41–44 none, false or misused, 99, anything else | 货车 | 大型客车 | 其他 |
    ///
    /// A lorry maker is one that builds next to nothing else, so a small plate of it is a light truck; makers of both,
    /// such as 江淮 and 长安, decide nothing. 东风 without a further name is its lorry works, as 东风日产, 东风本田 and the like are
    /// brands of their own.
    pub fn of(hpzl: &str, model: &str) -> Self {
        let maker = brand_of(model);
        let lorry = LORRY_MAKERS.contains(&maker);
        let bus = BUS_MAKERS.contains(&maker);
        match Body::of(hpzl) {
            Body::Other => Self::Other,
            Body::Goods => Self::Goods,
            _ if lorry => Self::Goods,
            Body::Large => Self::LargePassenger,
            Body::Small => Self::SmallPassenger,
            Body::AnyCar | Body::Unknown if bus => Self::LargePassenger,
            Body::AnyCar => Self::SmallPassenger,
            Body::Unknown => Self::Other,
        }
    }
}

impl Body {
    fn of(hpzl: &str) -> Self {
        match hpzl {
            "01" | "51" => Self::Large,
            "02" | "52" => Self::Small,
            "03" | "04" | "05" | "06" | "16" | "18" | "20" | "22" | "23" | "26" | "27" | "31" | "32" => Self::AnyCar,
            "13" | "15" => Self::Goods,
            "07" | "08" | "09" | "10" | "11" | "12" | "14" | "17" | "19" | "21" | "24" | "25" => Self::Other,
            _ => Self::Unknown,
        }
    }
}

/// Makers of goods vehicles, as [`brand_of`] gives them.
pub const LORRY_MAKERS: [&str; 40] = [
    "福田",
    "欧曼",
    "欧马可",
    "奥铃",
    "时代",
    "解放",
    "一汽解放",
    "东风",
    "东风商用车",
    "乘龙",
    "东风柳汽",
    "陕汽",
    "陕汽重卡",
    "德龙",
    "重汽",
    "中国重汽",
    "豪沃",
    "豪瀚",
    "汕德卡",
    "斯太尔",
    "黄河",
    "红岩",
    "上汽红岩",
    "华菱",
    "星马",
    "大运",
    "徐工",
    "三一",
    "联合卡车",
    "北奔",
    "庆铃",
    "五十铃",
    "唐骏",
    "时风",
    "五征",
    "凯马",
    "跃进",
    "南骏",
    "斯堪尼亚",
    "中集",
];

/// Makers of buses and coaches, as [`brand_of`] gives them.
pub const BUS_MAKERS: [&str; 22] = [
    "宇通",
    "金龙",
    "厦门金龙",
    "大金龙",
    "金旅",
    "厦门金旅",
    "海格",
    "苏州金龙",
    "中通",
    "安凯",
    "亚星",
    "申龙",
    "申沃",
    "黄海",
    "青年",
    "尼奥普兰",
    "友谊",
    "九龙",
    "牡丹",
    "蜀都",
    "中车",
    "银隆",
];

/// Fuel, as the dashboard distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum FuelType {
    /// 燃油: everything else.
    #[serde(rename = "燃油")]
    Combustion = 0,
    /// 新能源: plate type 51 or 52, or a plate of the new energy form.
    #[serde(rename = "新能源")]
    NewEnergy = 1,
}

impl FuelType {
    /// Both, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Combustion, Self::NewEnergy];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Combustion => "燃油",
            Self::NewEnergy => "新能源",
        }
    }

    /// The fuel by plate type (HPZL, two digits) and the class of the plate.
    #[inline]
    pub fn of(hpzl: &str, class: PlateClass) -> Self {
        if class == PlateClass::NewEnergy || matches!(hpzl, "51" | "52") { Self::NewEnergy } else { Self::Combustion }
    }
}

/// What [`brand_of`] gives where a model names no brand.
pub const UNKNOWN_BRAND: &str = "未知";

/// The brand of a model (CLPPXH): the text before the first 牌 or `-`, whichever comes first, so that `大众牌-朗逸-2015` is
/// 大众 and `别克-君威` is 别克; 未知 if there is none.
pub fn brand_of(model: &str) -> &str {
    let end = model.find(['牌', '-']).unwrap_or(model.len());
    match model.get(..end).map(str::trim) {
        Some(brand) if !brand.is_empty() => brand,
        _ => UNKNOWN_BRAND,
    }
}

/// The province of a plate: its first character, whatever it is.
pub fn province_of(hphm: &str) -> &str {
    let end = hphm.chars().next().map_or(0, char::len_utf8);
    hphm.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (hpzl, model, expected) in [
            ("01", "解放牌-J6P-2019", "货车"),
            ("01", "宇通牌-ZK6122-2018", "大型客车"),
            ("01", "-", "大型客车"),
            ("51", "东风牌-EQ1180", "货车"),
            ("51", "比亚迪牌-K9", "大型客车"),
            ("02", "大众牌-朗逸-2015", "小型客车"),
            ("02", "东风日产牌-轩逸", "小型客车"),
            ("02", "福田牌", "货车"),
            ("02", "宇通牌-ZK6609", "小型客车"),
            ("52", "特斯拉牌-Model 3", "小型客车"),
            ("23", "宇通牌", "大型客车"),
            ("23", "大众牌", "小型客车"),
            ("22", "重汽牌-豪沃", "货车"),
            ("13", "时风牌", "货车"),
            ("13", "-", "货车"),
            ("15", "", "货车"),
            ("07", "福田牌", "其他"),
            ("14", "-", "其他"),
            ("-", "大众牌-朗逸", "其他"),
            ("-", "豪沃-T7H", "货车"),
            ("", "金龙牌", "大型客车"),
            ("99", "", "其他"),
        ] {
            assert_eq!(VehicleType::of(hpzl, model).as_str(), expected, "{hpzl} {model}");
        }
        for kind in VehicleType::ALL {
            assert_eq!(VehicleType::from_u8(kind as u8), Some(kind));
        }
    }

    #[test]
    fn fuels() {
        for (hpzl, class, expected) in [
            ("51", PlateClass::Irregular, "新能源"),
            ("52", PlateClass::Masked, "新能源"),
            ("02", PlateClass::NewEnergy, "新能源"),
            ("-", PlateClass::NewEnergy, "新能源"),
            ("02", PlateClass::Ordinary, "燃油"),
            ("", PlateClass::Irregular, "燃油"),
        ] {
            assert_eq!(FuelType::of(hpzl, class).as_str(), expected, "{hpzl} {class:?}");
        }
    }

    #[test]
    fn brands_and_provinces() {
        for (model, expected) in [
            ("大众牌-朗逸-2015", "大众"),
            ("福田牌", "福田"),
            ("别克-君威", "别克"),
            ("比亚迪", "比亚迪"),
            ("梅赛德斯-奔驰牌", "梅赛德斯"),
            ("- ", "未知"),
            ("-", "未知"),
            ("牌", "未知"),
            (" -x", "未知"),
            ("", "未知"),
        ] {
            assert_eq!(brand_of(model), expected, "{model}");
        }
        for (hphm, expected) in [("苏C12345", "苏"), ("-***", "-"), ("使123456", "使"), ("", "")] {
            assert_eq!(province_of(hphm), expected);
        }
    }
}
