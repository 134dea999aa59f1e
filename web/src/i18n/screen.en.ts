import type zh from './screen.zh'

const en: typeof zh = {}

export default en
