/** Plate types 号牌种类 (GA 24.7) and provinces by the plate's first character, with their names in both languages. */

type Named = Readonly<Record<string, readonly [zh: string, en: string]>>

export const PLATE_TYPES: Named = {
  '01': ['大型汽车', 'Large vehicle'],
  '02': ['小型汽车', 'Small vehicle'],
  '03': ['使馆汽车', 'Embassy'],
  '04': ['领馆汽车', 'Consulate'],
  '05': ['境外汽车', 'From abroad'],
  '06': ['外籍汽车', 'Foreign owner'],
  '07': ['普通摩托车', 'Motorcycle'],
  '08': ['轻便摩托车', 'Moped'],
  '13': ['低速车', 'Low-speed vehicle'],
  '14': ['拖拉机', 'Tractor'],
  '15': ['挂车', 'Trailer'],
  '16': ['教练汽车', 'Learner car'],
  '17': ['教练摩托车', 'Learner motorcycle'],
  '18': ['试验汽车', 'Test car'],
  '20': ['临时入境汽车', 'Temporary entry'],
  '22': ['临时行驶车', 'Temporary plate'],
  '23': ['警用汽车', 'Police car'],
  '24': ['警用摩托车', 'Police motorcycle'],
  '25': ['原农机号牌', 'Farm machine'],
  '26': ['香港入出境车', 'Hong Kong'],
  '27': ['澳门入出境车', 'Macao'],
  '31': ['武警号牌', 'Armed police'],
  '32': ['军队号牌', 'Army'],
  '41': ['无号牌', 'No plate'],
  '42': ['假号牌', 'False plate'],
  '43': ['挪用号牌', 'Misused plate'],
  '51': ['大型新能源汽车', 'Large NEV'],
  '52': ['小型新能源汽车', 'Small NEV'],
  '99': ['其他号牌', 'Other'],
  '-': ['未识别', 'Not read'],
}

export const PROVINCES: Named = {
  苏: ['江苏', 'Jiangsu'],
  鲁: ['山东', 'Shandong'],
  皖: ['安徽', 'Anhui'],
  豫: ['河南', 'Henan'],
  浙: ['浙江', 'Zhejiang'],
  沪: ['上海', 'Shanghai'],
  京: ['北京', 'Beijing'],
  津: ['天津', 'Tianjin'],
  冀: ['河北', 'Hebei'],
  渝: ['重庆', 'Chongqing'],
  云: ['云南', 'Yunnan'],
  辽: ['辽宁', 'Liaoning'],
  黑: ['黑龙江', 'Heilongjiang'],
  湘: ['湖南', 'Hunan'],
  新: ['新疆', 'Xinjiang'],
  赣: ['江西', 'Jiangxi'],
  鄂: ['湖北', 'Hubei'],
  桂: ['广西', 'Guangxi'],
  甘: ['甘肃', 'Gansu'],
  晋: ['山西', 'Shanxi'],
  蒙: ['内蒙古', 'Inner Mongolia'],
  陕: ['陕西', 'Shaanxi'],
  吉: ['吉林', 'Jilin'],
  闽: ['福建', 'Fujian'],
  贵: ['贵州', 'Guizhou'],
  粤: ['广东', 'Guangdong'],
  青: ['青海', 'Qinghai'],
  藏: ['西藏', 'Tibet'],
  川: ['四川', 'Sichuan'],
  宁: ['宁夏', 'Ningxia'],
  琼: ['海南', 'Hainan'],
}

function nameIn(names: Named, code: string, locale: string): string | null {
  const found = names[code]
  return found ? found[locale.startsWith('zh') ? 0 : 1] : null
}

/** `02` → `02 小型汽车`; a code without a name stays as it is. */
export function plateTypeText(code: string, locale: string): string {
  const name = nameIn(PLATE_TYPES, code, locale)
  return name ? (code === '-' ? name : `${code} ${name}`) : code
}

/** `苏` → `苏 江苏`. */
export function provinceText(character: string, locale: string): string {
  const name = nameIn(PROVINCES, character, locale)
  return name ? `${character} ${name}` : character
}
