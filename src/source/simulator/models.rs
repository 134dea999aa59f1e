//! Brands and models as the cameras report them, in plausible shares.
//!
//! A car's text is `brand-series-year`, a truck's often the brand alone. It knows no vehicle, only what is sold.

use super::chance::pick;

/// What is sold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Market {
    Car,
    Electric,
    Truck,
    ElectricHeavy,
    Trailer,
    SlowTruck,
}

/// Number of a model in [`Models`].
pub(super) type ModelId = u16;

/// Brand, then series with their weights.
type Brand = (&'static str, &'static [(&'static str, u16)]);

const CARS: &[Brand] = &[
    (
        "大众牌",
        &[
            ("朗逸", 34),
            ("桑塔纳", 24),
            ("帕萨特", 18),
            ("速腾", 18),
            ("宝来", 16),
            ("捷达", 16),
            ("途观", 12),
            ("迈腾", 11),
            ("POLO", 9),
            ("高尔夫", 8),
            ("途安", 4),
            ("途岳", 4),
        ],
    ),
    ("别克牌", &[("英朗", 20), ("凯越", 18), ("君威", 9), ("君越", 8), ("GL8", 8), ("昂科威", 6), ("威朗", 5)]),
    ("现代牌", &[("朗动", 13), ("伊兰特", 13), ("瑞纳", 10), ("名图", 6), ("ix35", 6), ("悦动", 8)]),
    ("丰田牌", &[("卡罗拉", 17), ("凯美瑞", 10), ("雷凌", 9), ("RAV4", 8), ("汉兰达", 6), ("威驰", 5)]),
    ("本田牌", &[("雅阁", 11), ("思域", 9), ("CR-V", 10), ("飞度", 7), ("缤智", 5), ("凌派", 5)]),
    ("日产牌", &[("轩逸", 17), ("天籁", 8), ("逍客", 8), ("奇骏", 6), ("骐达", 4), ("阳光", 4)]),
    ("长安牌", &[("CS75", 11), ("逸动", 9), ("CS35", 8), ("悦翔", 7), ("欧诺", 6), ("欧尚", 4)]),
    ("五菱牌", &[("宏光", 26), ("荣光", 12), ("之光", 9)]),
    ("哈弗牌", &[("H6", 17), ("H2", 6), ("M6", 5)]),
    ("吉利牌", &[("帝豪", 11), ("博越", 8), ("远景", 8), ("星越", 3)]),
    ("奇瑞牌", &[("瑞虎", 9), ("艾瑞泽", 6), ("QQ", 5), ("风云", 3)]),
    ("福特牌", &[("福克斯", 13), ("蒙迪欧", 6), ("翼虎", 5), ("福睿斯", 5)]),
    ("雪佛兰牌", &[("科鲁兹", 9), ("赛欧", 6), ("迈锐宝", 4)]),
    ("起亚牌", &[("K3", 7), ("K2", 7), ("智跑", 5), ("福瑞迪", 4)]),
    ("奥迪牌", &[("A6L", 9), ("A4L", 8), ("Q5", 5), ("A3", 3)]),
    ("宝马牌", &[("320Li", 6), ("525Li", 6), ("X1", 4), ("X3", 3)]),
    ("奔驰牌", &[("C200L", 6), ("E300L", 5), ("GLC260", 4)]),
    ("荣威牌", &[("550", 4), ("RX5", 5), ("350", 4)]),
    ("东风牌", &[("景逸", 4), ("风神", 4), ("小康", 6)]),
    ("江淮牌", &[("瑞风", 6), ("和悦", 4)]),
    ("金杯牌", &[("海狮", 6)]),
    ("马自达牌", &[("昂克赛拉", 5), ("马自达6", 4)]),
    ("雪铁龙牌", &[("爱丽舍", 5), ("世嘉", 4)]),
    ("标致牌", &[("308", 4), ("408", 4)]),
    ("斯柯达牌", &[("明锐", 6), ("昕锐", 4)]),
    ("比亚迪牌", &[("F3", 10), ("S6", 4), ("L3", 3)]),
];
const ELECTRICS: &[Brand] = &[
    ("比亚迪牌", &[("秦PLUS", 26), ("宋PLUS", 20), ("汉", 12), ("海豚", 12), ("元PLUS", 10), ("唐", 7)]),
    ("特斯拉牌", &[("Model 3", 12), ("Model Y", 16)]),
    ("五菱牌", &[("宏光MINIEV", 22)]),
    ("埃安牌", &[("AION S", 10), ("AION Y", 7)]),
    ("蔚来牌", &[("ES6", 5), ("ET5", 4)]),
    ("小鹏牌", &[("P7", 6), ("G3", 4)]),
    ("理想牌", &[("ONE", 6), ("L7", 5)]),
    ("北汽牌", &[("EU5", 6), ("EC180", 4)]),
    ("荣威牌", &[("ei5", 4), ("RX5新能源", 3)]),
    ("欧拉牌", &[("好猫", 5), ("黑猫", 5)]),
    ("奇瑞牌", &[("小蚂蚁", 7)]),
];
const TRUCKS: &[Brand] = &[
    ("解放牌", &[("", 40), ("J6P", 12), ("J6L", 8)]),
    ("东风牌", &[("", 36), ("天龙", 10), ("多利卡", 6)]),
    ("福田牌", &[("", 34), ("欧曼", 10), ("奥铃", 6)]),
    ("重汽牌", &[("", 10), ("豪沃", 18), ("斯太尔", 5)]),
    ("陕汽牌", &[("", 10), ("德龙", 12)]),
    ("江淮牌", &[("", 10), ("格尔发", 6)]),
    ("江铃牌", &[("", 8), ("顺达", 4)]),
    ("北奔牌", &[("", 4)]),
    ("红岩牌", &[("", 3), ("杰狮", 3)]),
    ("徐工牌", &[("", 5), ("漢风", 4)]),
    ("宇通牌", &[("", 14)]),
    ("金龙牌", &[("", 8)]),
    ("海格牌", &[("", 5)]),
];
const ELECTRIC_HEAVIES: &[Brand] = &[
    ("宇通牌", &[("", 10)]),
    ("比亚迪牌", &[("K8", 6)]),
    ("徐工牌", &[("", 6)]),
    ("三一牌", &[("", 4)]),
    ("福田牌", &[("智蓝", 5)]),
];
const TRAILERS: &[Brand] =
    &[("中集牌", &[("", 10)]), ("华骏牌", &[("", 8)]), ("通亚达牌", &[("", 5)]), ("梁山牌", &[("", 4)])];
const SLOW_TRUCKS: &[Brand] =
    &[("时风牌", &[("", 10)]), ("五征牌", &[("", 9)]), ("奥驰牌", &[("", 3)]), ("飞碟牌", &[("", 3)])];

/// A model's text, and how much of it is the brand.
#[derive(Debug, Clone)]
struct Model {
    text: String,
    brand: usize,
}

/// All models and, for each market, a lottery of them.
#[derive(Debug, Clone)]
pub(super) struct Models {
    models: Vec<Model>,
    lotteries: [Vec<ModelId>; 6],
}

impl Models {
    pub(super) fn new() -> Self {
        let mut all = Self { models: Vec::new(), lotteries: Default::default() };
        // Years of the models on the road, with weights: 2024 has only begun.
        let car_years: &[(&str, u16)] = &[
            ("2008", 1),
            ("2010", 2),
            ("2012", 3),
            ("2013", 3),
            ("2015", 4),
            ("2017", 4),
            ("2019", 3),
            ("2021", 2),
            ("2023", 1),
        ];
        let electric_years: &[(&str, u16)] = &[("2019", 1), ("2021", 2), ("2022", 3), ("2023", 4)];
        let truck_years: &[(&str, u16)] = &[("2013", 1), ("2017", 2), ("2020", 2)];
        let markets = [
            (Market::Car, CARS, car_years),
            (Market::Electric, ELECTRICS, electric_years),
            (Market::Truck, TRUCKS, truck_years),
            (Market::ElectricHeavy, ELECTRIC_HEAVIES, electric_years),
            (Market::Trailer, TRAILERS, &[]),
            (Market::SlowTruck, SLOW_TRUCKS, &[]),
        ];
        for (market, brands, years) in markets {
            let years_weight: u16 = years.iter().map(|year| year.1).sum::<u16>().max(1);
            for (brand, series) in brands {
                for (name, weight) in *series {
                    if name.is_empty() {
                        all.add(market, brand, (*brand).to_owned(), weight * years_weight);
                    } else {
                        for (year, year_weight) in years {
                            all.add(market, brand, format!("{brand}-{name}-{year}"), weight * year_weight);
                        }
                    }
                }
            }
        }
        all
    }

    fn add(&mut self, market: Market, brand: &str, text: String, weight: u16) {
        let id = self.models.len() as ModelId;
        self.models.push(Model { text, brand: brand.len() });
        if let Some(lottery) = self.lotteries.get_mut(market as usize) {
            lottery.extend(std::iter::repeat_n(id, usize::from(weight)));
        }
    }

    /// The model that `bits` choose in a market.
    pub(super) fn choose(&self, market: Market, bits: u64) -> ModelId {
        self.lotteries.get(market as usize).map_or(0, |lottery| pick(lottery, bits))
    }

    /// `brand-series-year`, or the brand where nothing more is known.
    pub(super) fn text(&self, id: ModelId) -> &str {
        self.models.get(usize::from(id)).map_or("-", |model| &model.text)
    }

    /// The brand alone.
    pub(super) fn brand(&self, id: ModelId) -> &str {
        self.models.get(usize::from(id)).and_then(|model| model.text.get(..model.brand)).unwrap_or("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_hundred_models_each_of_a_brand() {
        let models = Models::new();
        assert!((300..2_000).contains(&models.models.len()), "{}", models.models.len());
        for id in 0..models.models.len() as ModelId {
            assert!(models.brand(id).ends_with('牌'), "{}", models.text(id));
            assert!(models.text(id).starts_with(models.brand(id)));
        }
        assert!(models.models.iter().any(|model| model.text == "大众牌-朗逸-2015"));
        assert!(models.models.iter().any(|model| model.text == "福田牌"));
    }

    #[test]
    fn every_market_sells_something() {
        let models = Models::new();
        assert!(models.lotteries.iter().all(|lottery| !lottery.is_empty()));
        assert!(models.text(models.choose(Market::Trailer, 0)).starts_with("中集牌"));
    }
}
