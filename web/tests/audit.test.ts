// @vitest-environment jsdom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import type { AuditEntry, AuditPage, AuditVerified } from '@/api/types'
import { locale } from '@/i18n'
import { detailsOf, isMasked, mainDetailsOf } from '@/lib/audit'
import { csvOf } from '@/lib/csv'
import * as saving from '@/lib/saveFile'
import { routes } from '@/router'
import AuditView from '@/views/audit/AuditView.vue'

import { show } from './mount'
import { envelope, LOGGED_IN, refusal } from './sessions'

const SEARCH: AuditEntry = {
  n: 17, at: '2026-11-28 08:00:00', user: 'wang', shown: '王警官', via: 'session', credential: 'ab12cd34ef56', address: '10.0.0.7', action: 'query', status: 200, rows: 1284,
  purpose: { code: 'case', text: '=甲' }, details: { page: 1, limit: 20, kkmc: 'G3_Sulu', hphm: '苏C12*', order: 'newest' }, erased: false,
}
const ADDED: AuditEntry = {
  ...SEARCH, n: 16, user: null, shown: null, via: 'command', credential: null, address: null, action: 'user_add', status: null, rows: null, purpose: null,
  details: { roles: ['operator', 'auditor'], name: 'zhao' },
}
const REFUSED: AuditEntry = { ...SEARCH, n: 15, via: 'token', status: 403, rows: null, purpose: null, details: null }
const FAILED: AuditEntry = { ...SEARCH, n: 14, shown: null, user: 'root', via: 'nothing', action: 'login_failed', status: 401, rows: null, purpose: null, details: { reason: 'wrong' } }
const ERASED: AuditEntry = { ...SEARCH, n: 13, details: null, purpose: { code: 'case', text: '' }, erased: true }
const NEWER = { ...SEARCH, action: 'made_up', via: 'telepathy', details: { plan: { x: 1 } } } as unknown as AuditEntry

const HEAD = { n: 17, hash: '9f86d081', at: '2026-11-28 08:00:00' }
const FIRST = { n: 1, at: '2026-11-01 00:00:00' }
const page = (entries: AuditEntry[], next: number | null = null): AuditPage => ({ entries, next, head: HEAD, first: FIRST })

let pages: Record<string, AuditPage>
let verdict: () => Response
let asked: { url: string; headers?: unknown }[]

// Element Plus takes its time.
vi.setConfig({ testTimeout: 30_000 })
enableAutoUnmount(afterEach)
beforeEach(() => {
  vi.stubGlobal('ResizeObserver', class { observe = () => undefined; unobserve = () => undefined; disconnect = () => undefined })
  locale.value = 'zh'
  holdSession({ ...LOGGED_IN, permissions: ['audit'] })
  asked = []
  pages = { '/api/audit?length=50': page([SEARCH, ADDED, REFUSED, FAILED, ERASED]) }
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    asked.push({ url, headers: init?.headers })
    if (url === '/api/audit/verify') return Promise.resolve(verdict())
    const found = pages[url]
    return Promise.resolve(found ? envelope(found) : refusal(503, 'audit_unavailable'))
  })
})
afterEach(() => holdSession(null))

async function log(path = '/audit') {
  const shown = await show(AuditView, { routes, path })
  await flushPromises()
  const rows = () => shown.wrapper.findAll('[data-testid=audit] .row').map((row) => row.findAll('td').map((cell) => cell.text().replace(/\s+/g, ' ')))
  return { ...shown, rows }
}

describe('an entry', () => {
  test('says in words who did what, with what result and why', async () => {
    const { rows } = await log()
    expect(rows()).toEqual([
      ['2026-11-28 08:00:00', '王警官', '查询过车', '号牌 苏C12*卡口 G3_Sulu', '1,284 条', '案件侦办 =甲', '10.0.0.7'],
      ['2026-11-28 08:00:00', '命令行', '添加用户', '用户名 zhao角色 值班和审计', '—', '', ''],
      ['2026-11-28 08:00:00', '王警官', '查询过车', '', '被拒（403）', '', '10.0.0.7'],
      ['2026-11-28 08:00:00', 'root', '登录失败', '原因 用户名或密码不正确', '失败（401）', '', '10.0.0.7'],
      ['2026-11-28 08:00:00', '王警官', '查询过车', '已抹去', '1,284 条', '案件侦办', '10.0.0.7'],
    ])
    locale.value = 'en'
    await flushPromises()
    expect(rows()[1]).toEqual(['2026-11-28 08:00:00', 'Command line', 'User added', 'User name zhaoRoles Operator and Auditor', '—', '', ''])
  })

  test('opens by its button, with everything that it says', async () => {
    const { wrapper } = await log()
    const opener = wrapper.get('button.opener')
    expect(opener.attributes()).toMatchObject({ 'aria-expanded': 'false', 'aria-label': '展开第 17 条' })
    await opener.trigger('click')
    expect([opener.attributes('aria-expanded'), wrapper.find(`#${opener.attributes('aria-controls') ?? ''}`).exists()]).toEqual(['true', true])
    const facts = wrapper.get('[data-testid=entry]').findAll('dt, dd').map((fact) => fact.text())
    expect(facts.join(' ')).toBe('编号 17 用户 王警官 · wang 身份来源 登录 凭据 ab12cd34ef56 IP 地址 10.0.0.7 操作 查询过车 结果 1,284 条 事由 案件侦办 · =甲 号牌 苏C12* 卡口 G3_Sulu 页 1 每页条数 20 排序 newest')
    expect(JSON.parse(wrapper.get('pre').text())).toEqual(SEARCH.details)
    await opener.trigger('click')
    expect(wrapper.find('[data-testid=entry]').exists()).toBe(false)
  })

  test('of a newer server is shown as it names itself', async () => {
    pages['/api/audit?length=50'] = page([NEWER])
    expect((await log()).rows()[0]?.slice(2, 4)).toEqual(['made_up', 'plan {"x":1}'])
  })

  test('has its details in the order of their weight; a masked plate is marked', () => {
    expect(detailsOf(SEARCH).map(([name]) => name)).toEqual(['hphm', 'kkmc', 'page', 'limit', 'order'])
    expect(mainDetailsOf(SEARCH).map(([name]) => name)).toEqual(['hphm', 'kkmc'])
    expect(detailsOf({ details: { a: null, b: '', c: [], d: false } })).toEqual([['d', false]])
    expect([isMasked(SEARCH), isMasked({ details: { hphm: '苏C•••45' } }), isMasked(ERASED)]).toEqual([false, true, false])
  })
})

describe('the log', () => {
  test('takes its filters from the address', async () => {
    const path = '/audit?from=2026-11-01%2000:00:00&to=2026-11-02%2000:00:00&user=wang&action=query&hphm=%E8%8B%8FC&address=10.0.0.7'
    await log(path)
    expect(new URL(`http://x${asked[0]?.url ?? ''}`).searchParams.toString()).toBe(new URLSearchParams([
      ['from', '2026-11-01 00:00:00'], ['to', '2026-11-02 00:00:00'], ['user', 'wang'], ['action', 'query'], ['hphm', '苏C'], ['address', '10.0.0.7'], ['length', '50'],
    ]).toString())
  })

  test('goes on where the server stopped, even if that found nothing', async () => {
    pages = { '/api/audit?length=50': page([], 900), '/api/audit?before=900&length=50': page([SEARCH], 16), '/api/audit?before=16&length=50': page([ADDED]) }
    const { wrapper, press, rows } = await log()
    expect(wrapper.text()).toContain('已查过的部分没有符合条件的记录')
    await press('继续查找')
    await vi.waitFor(() => expect(rows()).toHaveLength(1))
    await press('继续查找')
    await vi.waitFor(() => expect(rows()).toHaveLength(2))
    expect([wrapper.text().includes('已显示 2 条'), wrapper.text().includes('已到最早的记录')]).toEqual([true, true])
  })

  test('keeps what it has if going on fails', async () => {
    pages['/api/audit?length=50'] = page([SEARCH], 17)
    const { wrapper, press, rows } = await log()
    await press('继续查找')
    await vi.waitFor(() => expect(wrapper.get('[role=alert]').text()).toContain('审计日志无法写入'), { timeout: 3_000 })
    expect(rows()).toHaveLength(1)
  })

  test('is read again on request, from the newest on', async () => {
    const { press } = await log()
    await press('刷新')
    await flushPromises()
    expect(asked.map(({ url }) => url)).toEqual(['/api/audit?length=50', '/api/audit?length=50'])
  })

  test('that is empty says so', async () => {
    pages['/api/audit?length=50'] = { entries: [], next: null, head: null, first: null }
    const { wrapper } = await log()
    expect(wrapper.text()).toContain('没有符合条件的记录')
    expect(wrapper.text()).toContain('还没有记录')
  })
})

describe('the chain', () => {
  const SOUND: AuditVerified = { entries: 12345, first: FIRST, head: HEAD, broken: null }

  test.each([
    [() => envelope(SOUND), '已校验 12,345 条，日志链完整，截至第 17 条'],
    [() => envelope({ ...SOUND, first: null, head: null, broken: { file: '2026-11-28.jsonl', line: 3, what: 'entry 17 was changed' } }), '日志链在 2026-11-28.jsonl 第 3 行断开：entry 17 was changed。此前 12,345 条完整'],
    [() => envelope({ entries: 0, first: null, head: null, broken: null }), '日志为空'],
    [() => refusal(501, 'no_audit'), '本进程没有数据目录，不记录审计日志'],
  ])('is verified on request', async (answer, said) => {
    verdict = answer
    const { wrapper, press } = await log()
    expect(wrapper.text()).toContain('第 17 条 · 2026-11-28 08:00:00')
    expect(wrapper.get('code').text()).toBe(HEAD.hash)
    await press('校验')
    await flushPromises()
    expect(wrapper.get('[data-testid=verdict]').text()).toBe(said)
    expect(asked.at(-1)).toMatchObject({ url: '/api/audit/verify', headers: { 'X-CSRF-Token': 'token' } })
  })
})

describe('the file', () => {
  test('has what is shown', async () => {
    let saved: [string, Blob] | undefined
    vi.spyOn(saving, 'saveFile').mockImplementation((...given) => (saved = given))
    const { press } = await log()
    await press('导出 CSV')
    expect(saved?.[0]).toBe('audit-2026-11-28-080000.csv')
    const text = await new Promise((read) => {
      const reader = new FileReader()
      reader.onload = () => read(reader.result)
      reader.readAsText(saved?.[1] ?? new Blob())
    })
    const lines = String(text).split('\r\n')
    expect(lines[0]?.startsWith('编号,时间,用户名,显示名')).toBe(true)
    expect(lines[1]).toBe(
      '17,"2026-11-28 08:00:00",wang,王警官,登录,ab12cd34ef56,10.0.0.7,查询过车,200,1284,案件侦办,\'=甲,"号牌: 苏C12*; 卡口: G3_Sulu; 页: 1; 每页条数: 20; 排序: newest",否,"{""page"":1,""limit"":20,""kkmc"":""G3_Sulu"",""hphm"":""苏C12*"",""order"":""newest""}"',
    )
    expect(lines).toHaveLength(7)
  })

  test.each([
    ['=1+1', "'=1+1"],
    ['-2', "'-2"],
    ['-', '-'],
    ['@x', "'@x"],
    ['\t=1', '"\'\t=1"'],
    [' +1', '"\' +1"'],
    ['＝1', "'＝1"],
    ['a"b', '"a""b"'],
    ['a\nb', '"a\nb"'],
    [-5, '-5'],
    [null, ''],
  ])('holds no formula: %j', (cell, written) => expect(csvOf(['t'], [[cell]])).toBe(`\uFEFFt\r\n${written}\r\n`))
})
