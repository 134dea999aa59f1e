import type zh from './predict.zh'

const en: typeof zh = {}

export default en
