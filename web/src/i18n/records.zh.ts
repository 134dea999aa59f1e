export default {
  filters: '筛选',
  plate: '号牌',
  plateHint: '号牌，可用 * 和 ?',
  checkpoint: '卡口',
  time: '时间',
  from: '开始时间',
  to: '结束时间',
  clear: '清空',
}
