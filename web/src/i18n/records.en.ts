import type zh from './records.zh'

const en: typeof zh = {
  filters: 'Filters',
  plate: 'Plate',
  plateHint: 'Plate; * and ? allowed',
  checkpoint: 'Checkpoint',
  time: 'Time',
  from: 'From',
  to: 'To',
  clear: 'Clear',
}

export default en
