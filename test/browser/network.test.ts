import ava from 'ava'
import { testNeeding } from '../helpers/needing.ts'
import { makeStep } from '../http/ui/sample-agents.ts'
import { chromiumPath, howToGetChromium } from './chromium.ts'
import { closeBrowser, open } from './opened.ts'

const test = testNeeding(chromiumPath !== undefined, howToGetChromium)

test('S4: each place that the search looks at becomes a row within a second, in its order, and the focus stays', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/managers/search`)
  await page.getByText('Live', { exact: true }).waitFor()
  const refresh = page.getByRole('link', { name: 'Refresh' })
  await refresh.focus()
  const { search } = parts.net
  if (search === undefined) return t.fail()
  const found = makeStep(7, { address: '10.7.7.7:1947', agent: { id: 'agent-new', name: 'NEW-ONE' } })
  parts.net.search = { ...search, found: 2, tried: 70, steps: [...search.steps, found] }
  const before = performance.now()
  server.tell('search.step')
  await page.getByText('NEW-ONE').waitFor()
  const took = performance.now() - before
  t.true(took < 3000, `${took} ms, on a machine that runs other tests`)
  const ids = await page.locator('tbody tr').evaluateAll((rows) => rows.map(({ id }) => id))
  t.deepEqual(ids.slice(0, 3), ['step-7', 'step-1', 'step-4'])
  await page.getByText('70 addresses tried, 2 agents found').waitFor()
  t.true(await refresh.evaluate((element) => element.matches(':focus')))
})

test('with scripts off, a license server is connected, a machine approved, and serving stopped and started', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/connect`)
  await page.getByLabel('Name or address').fill('nobody.example.com')
  await press('Test and connect')
  await page.getByText('nobody.example.com was not reached.').waitFor()
  await press('Keep it all the same')
  await page.getByRole('heading', { name: 'Licenses' }).waitFor()
  await page.getByRole('navigation', { name: 'Options' }).getByRole('link', { name: 'Overview' }).click()
  await press('Approve LAPTOP-7')
  await page.getByText('LAPTOP-7 is approved').waitFor()
  await page.getByRole('navigation', { name: 'Options' }).getByRole('link', { name: 'Service' }).click()
  await page.getByRole('link', { name: 'Stop serving' }).click()
  await press('Stop serving')
  await page.getByText('5 seats are told to end').waitFor()
  await press('Start serving')
  await page.getByText('Serving is started.').waitFor()
  t.deepEqual(parts.done.slice(2), ['approved agent-laptop', 'serving {"running":false}', 'serving {"running":true}'])
})

test('with scripts off, rules are tried out, submitted, and one is added by a press', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/configuration/user-restrictions`)
  await page.locator('[name="users.rules"]').fill('deny=bo')
  await press('Dry run')
  await page.getByText('7 more would have been refused').waitFor()
  t.is(await page.locator('[name="users.rules"]').inputValue(), 'deny=bo')
  await press('Submit')
  await page.getByText('User Restrictions: not set → deny=bo').waitFor()
  await press('Allow user: bo, allow=bo@WS-17')
  await page.getByText('The rule is in effect, at the top: allow=bo@WS-17').waitFor()
  t.is(await page.locator('[name="users.rules"]').inputValue(), 'allow=bo@WS-17\ndeny=bo')
  t.is(parts.done.length, 3)
})

test('I8: Disconnect of a computer opens as a dialog, with Cancel first and the way to free its seats now', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/computers`)
  await page.getByRole('link', { name: 'Disconnect WS-17 ana' }).click()
  const dialog = page.getByRole('dialog', { name: 'Disconnect ana on WS-17' })
  await dialog.waitFor()
  t.true(await dialog.getByRole('link', { name: 'Cancel' }).evaluate((element) => element.matches(':focus')))
  t.regex((await dialog.textContent()) ?? '', /may go on until Nov 24, 2026, 14:29:05/)
  await dialog.getByRole('link', { name: 'Free the seat now' }).click()
  await page.getByRole('button', { name: 'Free now' }).click()
  await page.getByText('2 seats more than licensed may be in use').waitFor()
  t.deepEqual(parts.done, ['disconnected computer-0 now'])
})

test('the log and the switch of the Service page follow what happens', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/service`)
  await page.getByText('Live', { exact: true }).waitFor()
  Object.assign(parts.net.serving, { handingOut: false })
  server.tell('serving.changed')
  await page.getByText('Nothing new is given out.').waitFor()
  await page.getByRole('button', { name: 'Enable' }).click()
  await page.getByText('The license server is enabled.').waitFor()
  t.deepEqual(parts.done, ['serving {"handingOut":true}'])
})

ava.after.always(closeBrowser)
