import { expect } from 'vitest'

import { test } from './browser'

test('every page is reached by the navigation and by its address', async ({ open }) => {
  // Nothing is proved yet, which is 404.
  const page = await open('/', { expectsErrors: true })
  for (const [name, path] of [['查询', '/query'], ['嫌疑车辆', '/cases'], ['预警', '/warnings'], ['轨迹', '/track'], ['路段', '/roads'], ['预测', '/predict'], ['设备', '/cameras'], ['检测验证', '/prove'], ['系统', '/system'], ['审计', '/audit'], ['大屏', '/']]) {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
    await page.waitForURL((url) => url.pathname === path)
    await page.reload()
    expect(await page.getByRole('navigation').getByRole('link', { name, exact: true }).getAttribute('aria-current')).toBe('page')
  }
})

test('the language switches and stays', async ({ open }) => {
  const page = await open('/query')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor()
  await page.reload()
  await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor()
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('en')
})

test('an address that is no page says so', async ({ open }) => {
  const page = await open('/nowhere')
  await page.getByRole('link', { name: '返回大屏' }).click()
  await page.waitForURL((url) => url.pathname === '/')
})
