import type zh from './system.zh'

const en: typeof zh = {}

export default en
