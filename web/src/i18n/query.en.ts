import type zh from './query.zh'

const en: typeof zh = {}

export default en
