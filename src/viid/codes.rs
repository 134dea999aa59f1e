//! Codes of GA/T 1400.3 and what they are in a record. docs/gat1400.md has the same tables, and a test compares them.

/// Makers (VehicleBrandType), in the names that the rules about vehicle types know.
pub const BRANDS: &[(u16, &str)] = &[
    (1, "大众"),
    (2, "别克"),
    (3, "宝马"),
    (4, "本田"),
    (5, "标致"),
    (6, "丰田"),
    (7, "福特"),
    (8, "日产"),
    (9, "奥迪"),
    (10, "马自达"),
    (11, "雪佛兰"),
    (12, "雪铁龙"),
    (13, "现代"),
    (14, "奇瑞"),
    (15, "起亚"),
    (16, "荣威"),
    (17, "三菱"),
    (18, "斯柯达"),
    (19, "吉利"),
    (20, "中华"),
    (21, "沃尔沃"),
    (22, "雷克萨斯"),
    (23, "菲亚特"),
    (24, "帝豪"),
    (25, "东风"),
    (26, "比亚迪"),
    (27, "铃木"),
    (28, "金杯"),
    (29, "海马"),
    (30, "五菱"),
    (31, "江淮"),
    (32, "斯巴鲁"),
    (33, "英伦"),
    (34, "长城"),
    (35, "哈飞"),
    (36, "庆铃"),
    (37, "东南"),
    (38, "长安"),
    (39, "福田"),
    (40, "夏利"),
    (41, "奔驰"),
    (42, "一汽"),
    (43, "依维柯"),
    (44, "力帆"),
    (45, "奔腾"),
    (46, "皇冠"),
    (47, "雷诺"),
    (48, "江铃"),
    (49, "名爵"),
    (50, "凯马"),
    (51, "众泰"),
    (52, "昌河"),
    (53, "厦门金龙"),
    (54, "汇众"),
    (55, "苏州金龙"),
    (56, "海格"),
    (57, "宇通"),
    (58, "中国重汽"),
    (59, "北奔"),
    (60, "华菱"),
    (61, "跃进"),
    (62, "黄海"),
    (65, "保时捷"),
    (66, "凯迪拉克"),
    (67, "英菲尼迪"),
    (68, "全球鹰"),
    (69, "吉普"),
    (70, "路虎"),
    (71, "猎豹"),
    (73, "时代"),
    (75, "长安"),
    (76, "陕汽重卡"),
    (81, "安凯"),
    (82, "申龙"),
    (83, "大宇"),
    (86, "中通"),
    (87, "宝骏"),
    (88, "威旺"),
    (89, "传祺"),
    (90, "陆风"),
    (92, "北京"),
    (94, "威麟"),
    (95, "欧宝"),
    (96, "开瑞"),
    (97, "华普"),
    (103, "讴歌"),
    (104, "启辰"),
    (107, "北汽制造"),
    (108, "纳智捷"),
    (109, "野马"),
    (110, "中兴"),
    (112, "克莱斯勒"),
    (113, "吉奥"),
    (115, "瑞麒"),
    (117, "捷豹"),
    (119, "唐骏"),
    (121, "福迪"),
    (122, "莲花"),
    (124, "双环"),
    (128, "永源"),
    (136, "江南"),
    (144, "道奇"),
    (155, "大运"),
    (167, "北方"),
    (176, "九龙"),
    (191, "宾利"),
    (201, "舒驰"),
    (230, "红旗"),
];

/// Colours of a plate (ColorType) that say its type where PlateClass does not: the colour and HPZL. The others stand for several.
pub const PLATE_COLORS: &[(u16, &str, &str)] = &[(5, "蓝", "02"), (6, "黄", "01")];

/// What stands in PlateNo where no plate was seen or read.
pub const NO_PLATE: &[&str] = &["无车牌", "无牌", "无牌车", "无号牌", "车牌", "未识别", "未知", "未知车牌", "unknown"];

/// The maker of a code, or the text itself where it is none: some send the name.
pub fn brand(code: &str) -> Option<&str> {
    let Ok(number) = code.parse::<u16>() else {
        // A longer number is a code that is not known.
        return Some(code).filter(|text| !text.is_empty() && !text.bytes().all(|byte| byte.is_ascii_digit()));
    };
    BRANDS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// The plate type: as it is, or by the colour where it is missing, `00` or `99` (other).
pub fn plate_type<'a>(class: &'a str, color: &str) -> &'a str {
    if !matches!(class, "" | "0" | "00" | "99") {
        return class;
    }
    let color = color.parse::<u16>().ok();
    PLATE_COLORS.iter().find(|(known, ..)| Some(*known) == color).map_or("", |(_, _, hpzl)| hpzl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_texts() {
        assert_eq!((brand("1"), brand("01"), brand("0"), brand("64")), (Some("大众"), Some("大众"), None, None));
        assert_eq!((brand("蔚来"), brand(""), brand("123456789")), (Some("蔚来"), None, None));
        assert_eq!((plate_type("02", "6"), plate_type("", "6"), plate_type("99", "5")), ("02", "01", "02"));
        assert_eq!((plate_type("", "9"), plate_type("00", ""), plate_type("52", "")), ("", "", "52"));
        assert!(BRANDS.is_sorted_by_key(|(code, _)| *code));
    }

    /// The part of the documentation below a heading, as the cells of its table.
    fn table(heading: &str) -> Vec<Vec<String>> {
        let page = include_str!("../../docs/gat1400.md");
        let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
        let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        rows.skip(1).map(cells).collect()
    }

    #[test]
    fn the_documentation_has_the_same_codes() {
        let documented = table("Makers");
        let pairs: Vec<&str> =
            documented.iter().flatten().map(String::as_str).filter(|cell| !cell.is_empty()).collect();
        let expected: Vec<String> = BRANDS.iter().map(|(code, name)| format!("{code} {name}")).collect();
        assert_eq!(pairs, expected);
        let colors: Vec<Vec<String>> = PLATE_COLORS
            .iter()
            .map(|(code, name, hpzl)| vec![code.to_string(), (*name).to_owned(), format!("`{hpzl}`")])
            .collect();
        assert_eq!(table("Plate colours"), colors);
        assert!(NO_PLATE.iter().all(|text| include_str!("../../docs/gat1400.md").contains(&format!("`{text}`"))));
    }
}
