import type { WorkReason, WorkStatus } from '@/api/types'

export default {
  title: '研判',
  status: '状态',
  history: '研判记录',
  none: '尚无人处理',
  states: { new: '新建', investigating: '研判中', confirmed: '已确认', dismissed: '已驳回' } satisfies Record<WorkStatus, string>,
  moveTo: { new: '退回新建', investigating: '开始研判', confirmed: '确认套牌', dismissed: '驳回' } satisfies Record<WorkStatus, string>,
  again: '重新研判',
  reason: '依据',
  reasonNone: '未选择',
  reasons: {
    stopped: '现场查获', photos: '图像比对', owner: '车主证实', misread: '号牌误识别', clock: '设备时钟错误',
    plate_types: '同号不同种类', fast: '正常行驶', other: '其他',
  } satisfies Record<WorkReason, string>,
  note: '备注',
  noteHint: '依据、去向、联系人…',
  noteNeeded: '重新研判需要写明原因',
  addNote: '仅添加备注',
  by: '处理人',
  byHint: '姓名或警号',
  byNeeded: '请填写处理人',
  saved: '已保存',
  noted: '添加备注',
}
