import type zh from './warnings.zh'

const en: typeof zh = {}

export default en
