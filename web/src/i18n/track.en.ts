import type zh from './track.zh'

const en: typeof zh = {}

export default en
