// @vitest-environment jsdom
import { enableAutoUnmount, flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { holdSession } from '@/api/access'
import { sessionDoubts } from '@/api/sessionDoubt'
import type { Account, ApiToken, Session } from '@/api/types'
import { locale } from '@/i18n'
import { permissionsOf, tokenProblem, userProblem } from '@/lib/accounts'
import UsersView from '@/views/users/UsersView.vue'

import { dialog, withDialogs } from './dialogs'
import { show } from './mount'
import { envelope, LOGGED_IN, OPEN, refusal } from './sessions'

const ADMIN: Session = { ...LOGGED_IN, permissions: ['dashboard', 'users', 'metrics'], user: { name: 'boss', shown: '陈科长', roles: ['admin'], must_change: false, external: false } }
const BOSS: Account = { name: 'boss', shown: '陈科长', roles: ['admin'], districts: [], checkpoints: [], disabled: false, must_change: false, external: false, created_at: '2026-03-01 09:00:00', sessions: 1, tokens: 0 }
const WANG: Account = { ...BOSS, name: 'wang', shown: '王警官', roles: ['operator'], districts: ['邳州市'], checkpoints: ['G3_Sulu'], must_change: true, sessions: 1234, tokens: 1 }
const ZHAO: Account = { ...BOSS, name: 'zhao', shown: 'zhao', roles: ['viewer', 'auditor'], disabled: true, sessions: 0 }
const TOKEN: ApiToken = { id: '0a1b2c3d4e5f', owner: 'wang', scopes: ['dashboard', 'plates'], districts: [], checkpoints: [], note: '每晚报表', created_at: '2026-11-01 08:00:00', expires_at: null, expired: true, used_at: null }
const PASSWORD = 'k3-x9QbZ7mW2pLr8TnYc'

let answers: Record<string, () => Response>
let sent: { call: string; body: unknown; csrf: string | undefined }[]

withDialogs()
enableAutoUnmount(afterEach)
beforeEach(() => {
  locale.value = 'zh'
  vi.unstubAllGlobals()
  holdSession(ADMIN)
  sent = []
  answers = { 'GET /api/users': () => envelope({ users: [BOSS, WANG, ZHAO] }), 'GET /api/tokens': () => envelope({ tokens: [TOKEN] }) }
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    const call = `${init?.method ?? 'GET'} ${url}`
    const headers = init?.headers as Record<string, string> | undefined
    if (init?.method) sent.push({ call, body: init.body ? JSON.parse(String(init.body)) : undefined, csrf: headers?.['X-CSRF-Token'] })
    return Promise.resolve(answers[call]?.() ?? refusal(404, 'unknown_endpoint'))
  })
})
afterEach(() => holdSession(null))

async function users() {
  const { wrapper, press } = await show(UsersView)
  await flushPromises()
  const table = (index: number) =>
    wrapper.findAll('table')[index]?.findAll('tbody tr').map((row) => row.findAll('td').map((cell) => cell.text().replace(/\s+/g, ' '))) ?? []
  const click = async (label: string) => {
    await wrapper.get(`[aria-label="${label}"]`).trigger('click')
  }
  return { wrapper, press, click, table }
}

async function choose(...values: string[]) {
  for (const value of values) {
    dialog().choose(value)
    await flushPromises()
  }
}

async function submit() {
  dialog().submit()
  await flushPromises()
}

async function confirm(action: string) {
  dialog().press(action)
  await flushPromises()
}

describe('the users', () => {
  test('are listed with what they may, and what can be done with each', async () => {
    const { table } = await users()
    expect(table(0)).toEqual([
      ['boss 本人', '陈科长', '系统管理员', '全部', '2026-03-01 09:00:00', '1', '0', '编辑'],
      ['wang 须改密码', '王警官', '值班', '邳州市、G3_Sulu', '2026-03-01 09:00:00', '1,234', '1', '编辑重置密码停用'],
      ['zhao 已停用', 'zhao', '浏览、审计', '全部', '2026-03-01 09:00:00', '0', '0', '编辑重置密码启用'],
    ])
  })

  test('are added with a password that is shown once', async () => {
    answers['POST /api/users'] = () => envelope({ user: WANG, password: PASSWORD })
    const { press } = await users()
    await press('添加用户')
    dialog().fill('[name=name]', ' Li.Lei ')
    await choose('operator', 'viewer')
    await submit()
    expect(sent).toEqual([{ call: 'POST /api/users', body: { name: 'li.lei', roles: ['viewer', 'operator'] }, csrf: 'token' }])
    const copied = vi.fn(() => Promise.resolve())
    vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: copied } })
    expect([dialog().title, dialog().within<HTMLInputElement>('input')?.value]).toEqual(['“wang”的新密码', PASSWORD])
    await confirm('复制')
    expect([copied.mock.calls, dialog().within('[role=status]')?.textContent]).toEqual([[[PASSWORD]], '已复制'])
    // Escape does not lose it.
    dialog().escape()
    await flushPromises()
    expect(dialog().isOpen).toBe(true)
    await confirm('已保存，关闭')
    expect([dialog().isOpen, document.body.innerHTML.includes(PASSWORD)]).toEqual([false, false])
  })

  test('are limited to districts and checkpoints, and only what was changed is sent', async () => {
    answers['POST /api/users'] = () => envelope({ user: WANG, password: PASSWORD })
    answers['PATCH /api/users/wang'] = () => envelope({ user: WANG, password: null })
    const { press, click } = await users()
    await press('添加用户')
    dialog().fill('[name=name]', 'li')
    dialog().fill('[name=districts]', ' 邳州市，铜山县、邳州市 ')
    await choose('operator')
    await submit()
    expect(sent.pop()?.body).toEqual({ name: 'li', roles: ['operator'], districts: ['邳州市', '铜山县'] })
    await confirm('已保存，关闭')
    await click('编辑用户 wang')
    expect([dialog().within<HTMLInputElement>('[name=districts]')?.value, dialog().within<HTMLInputElement>('[name=checkpoints]')?.value]).toEqual(['邳州市', 'G3_Sulu'])
    dialog().fill('[name=checkpoints]', '')
    await submit()
    expect(sent.pop()?.body).toEqual({ shown: '王警官', roles: ['operator'], checkpoints: [] })
  })

  test.each([
    ['', [], '请填写用户名'],
    ['王', ['viewer'], '用户名只能含字母、数字、点、横线和下划线，最多 32 个字符'],
    ['li', [], '请至少选择一个角色'],
  ])('are checked before they are sent: %j', async (name, roles, said) => {
    const { press } = await users()
    await press('添加用户')
    dialog().fill('[name=name]', name)
    await choose(...roles)
    await submit()
    expect([dialog().alert(), sent]).toEqual([said, []])
  })

  test.each([
    [409, 'user_exists', { user: 'li' }, '用户 li 已存在：请修改该用户，或换一个用户名'],
    [409, 'too_many_accounts', {}, '用户或令牌数量已达上限，请先清理'],
    [409, 'unlimited_role', { user: 'li' }, 'li 的角色含系统管理员或审计，须可见全部'],
    [409, 'large_area', { limit: 32, characters: 100 }, '最多限定 32 个辖区和 32 个卡口'],
    [403, 'needs_https', {}, '从其他机器登录须使用 HTTPS'],
    [503, 'audit_unavailable', {}, '审计日志无法写入'],
  ])('may be refused: %i %s', async (status, reason, values, said) => {
    answers['POST /api/users'] = () => refusal(status, reason, values)
    const { press } = await users()
    await press('添加用户')
    dialog().fill('[name=name]', 'li')
    await choose('viewer')
    await submit()
    expect(dialog().alert()).toContain(said)
    dialog().escape()
    await flushPromises()
    expect(dialog().isOpen).toBe(false)
  })

  test('change their roles and names', async () => {
    answers['PATCH /api/users/wang'] = () => envelope({ user: WANG, password: null })
    const { wrapper, click } = await users()
    await click('编辑用户 wang')
    await choose('supervisor')
    dialog().fill('[name=shown]', '王队')
    await submit()
    expect(sent).toEqual([{ call: 'PATCH /api/users/wang', body: { shown: '王队', roles: ['operator', 'supervisor'] }, csrf: 'token' }])
    expect([dialog().isOpen, wrapper.get('[role=status]').text()]).toEqual([false, '已保存：王警官'])
  })

  test('who give up being the administrator are warned, and the last one stays', async () => {
    answers['PATCH /api/users/boss'] = () => refusal(409, 'last_admin', { user: 'boss' })
    const { click } = await users()
    await click('编辑用户 boss')
    await choose('admin', 'viewer')
    expect(dialog().text).toContain('您将去掉自己的系统管理员角色')
    await submit()
    expect(dialog().alert()).toBe('boss 是最后一个可登录的管理员：请先设置另一个管理员')
  })

  test('who change themselves have their session read again', async () => {
    answers['PATCH /api/users/boss'] = () => envelope({ user: BOSS, password: null })
    const before = sessionDoubts.value
    const { click } = await users()
    await click('编辑用户 boss')
    await choose('auditor')
    await submit()
    expect(sessionDoubts.value).toBe(before + 1)
  })

  test('are disabled only after a question, and enabled without', async () => {
    answers['PATCH /api/users/wang'] = () => envelope({ user: { ...WANG, disabled: true }, password: null })
    answers['PATCH /api/users/zhao'] = () => envelope({ user: { ...ZHAO, disabled: false }, password: null })
    const { wrapper, click } = await users()
    await click('停用用户 wang')
    expect([dialog().title, dialog().text.includes('立即退出'), sent]).toEqual(['停用用户', true, []])
    await confirm('取消')
    expect([dialog().isOpen, sent]).toEqual([false, []])
    await click('停用用户 wang')
    await confirm('停用')
    expect(wrapper.get('[role=status]').text()).toBe('已停用：王警官')
    await click('启用用户 zhao')
    await flushPromises()
    expect(wrapper.get('[role=status]').text()).toBe('已启用：zhao')
    expect(sent.map(({ call, body }) => [call, body])).toEqual([['PATCH /api/users/wang', { disabled: true }], ['PATCH /api/users/zhao', { disabled: false }]])
  })

  test('get a new password only after a question', async () => {
    answers['PATCH /api/users/wang'] = () => envelope({ user: WANG, password: PASSWORD })
    const { click } = await users()
    await click('重置用户 wang 的密码')
    await confirm('生成新密码')
    expect([dialog().title, dialog().within<HTMLInputElement>('input')?.value]).toEqual(['“wang”的新密码', PASSWORD])
    expect(sent.map(({ body }) => body)).toEqual([{ password: 'generate' }])
  })

  test('there are none where nobody logs in, and the page says what to do', async () => {
    holdSession(OPEN)
    const { wrapper } = await users()
    expect(wrapper.text()).toContain('platewatch user add')
    expect(wrapper.findAll('button')).toEqual([])
  })
})

describe('the tokens', () => {
  test('are listed, also those that have expired', async () => {
    const { table } = await users()
    expect(table(1)).toEqual([['0a1b2c3d4e5f已过期', 'wang', '每晚报表', '查看统计、地图与列表、查看完整号牌与轨迹', '2026-11-01 08:00:00', '长期', '从未使用', '吊销']])
  })

  test('are issued with what their owner may, and the secret is shown once', async () => {
    answers['POST /api/tokens'] = () => envelope({ token: TOKEN, secret: 'pw_secret' })
    const { press } = await users()
    await press('签发令牌')
    // Who is disabled can have none.
    const owners = [...document.querySelectorAll<HTMLOptionElement>('dialog option')].map(({ value }) => value)
    expect(owners).toEqual(['', 'boss', 'wang'])
    await submit()
    expect(dialog().alert()).toBe('请选择所属用户')
    dialog().fill('select', 'wang')
    await flushPromises()
    const offered = [...document.querySelectorAll<HTMLInputElement>('dialog input[type=checkbox]')].map(({ value }) => value)
    expect(offered).toEqual(['dashboard', 'plates', 'work', 'export'])
    await submit()
    expect(dialog().alert()).toBe('请至少选择一项权限')
    await choose('plates')
    dialog().fill('[name=days]', '30')
    dialog().fill('[name=note]', '每晚报表')
    await submit()
    expect(sent).toEqual([{ call: 'POST /api/tokens', body: { owner: 'wang', scopes: ['plates'], days: 30, note: '每晚报表' }, csrf: 'token' }])
    expect([dialog().title, dialog().within<HTMLInputElement>('input')?.value]).toEqual(['“wang”的新令牌', 'pw_secret'])
    // Without a clipboard one copies by hand.
    await confirm('复制')
    expect(dialog().within('[role=status]')?.textContent).toBe('请手动复制')
  })

  test('may be refused, in words', async () => {
    answers['POST /api/tokens'] = () => refusal(409, 'scope_not_owned', { owner: 'wang', scopes: 'plates, work' })
    const { press } = await users()
    await press('签发令牌')
    dialog().fill('select', 'wang')
    await flushPromises()
    await choose('plates')
    await submit()
    expect(dialog().alert()).toContain('用户 wang 的角色没有这些权限：查看完整号牌与轨迹、研判')
  })

  test('are revoked only after a question', async () => {
    const { wrapper, click } = await users()
    await click('吊销令牌 0a1b2c3d4e5f（wang）')
    expect(dialog().text).toContain('不能恢复')
    await confirm('吊销')
    expect(dialog().alert()).toContain('没有接口')
    answers['DELETE /api/tokens/0a1b2c3d4e5f'] = () => refusal(404, 'no_such_token')
    await confirm('吊销')
    expect(dialog().alert()).toBe('没有该令牌，或已停用')
    answers['DELETE /api/tokens/0a1b2c3d4e5f'] = () => envelope({ tokens: [] })
    answers['GET /api/tokens'] = () => envelope({ tokens: [] })
    await confirm('吊销')
    expect(dialog().isOpen).toBe(false)
    await vi.waitFor(() => expect(wrapper.text()).toContain('没有令牌'))
    expect(wrapper.text()).toContain('已吊销：0a1b2c3d4e5f')
  })
})

test('what users and tokens need', () => {
  expect([userProblem('', ['viewer']), userProblem('a b', ['viewer']), userProblem('x'.repeat(33), ['viewer']), userProblem('a.B-_1', [])]).toEqual(['nameNeeded', 'nameWrong', 'nameWrong', 'rolesNeeded'])
  expect(userProblem('a.B-_1', ['viewer'])).toBeNull()
  expect([0, 3651, 1.5, '', 90].map((days) => tokenProblem('wang', ['plates'], days))).toEqual(['daysWrong', 'daysWrong', 'daysWrong', 'daysWrong', null])
  expect(permissionsOf(['viewer', 'operator', 'auditor'])).toEqual(['dashboard', 'plates', 'work', 'export', 'audit'])
})
