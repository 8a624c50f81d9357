import { readFileSync } from 'node:fs'
import path from 'node:path'
import ava from 'ava'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { cleanUp, freshFolder, RealAgent } from '../scenarios/real-agent.ts'
import { chromiumPath, howToGetChromium, launchChromium } from './chromium.ts'

const test = testNeeding(chromiumPath !== undefined, howToGetChromium)
const password = 'correct horse battery'

ava.after.always(cleanUp)

test('over TLS Chromium shows the sign-in, then the agent, and switching remote administration off ends it', async (t) => {
  t.timeout(60_000)
  const agent = await RealAgent.start(await freshFolder())
  const change = (patch: object, headers = {}) => agent.ask('PUT', '/configuration', patch, headers)
  t.like(await change({ 'ui.remote': true }), { status: 409, body: { code: 'password_needed' } })
  t.is((await agent.ask('PUT', '/password', { password })).status, 200)
  const cli = { authorization: `Bearer ${readFileSync(path.join(agent.folder, 'cli.key'), 'utf8').trim()}` }
  t.is((await change({ 'ui.remote': true, 'network.listen': ['127.0.0.2'] }, cli)).status, 200)

  const browser = await launchChromium(chromiumPath ?? '')
  t.teardown(() => browser.close())
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en' })
  const page = await context.newPage()
  const address = `https://127.0.0.2:${agent.port}`
  await waitFor('the port on the other address', () =>
    page.goto(`${address}/licenses`).then(
      () => true,
      () => false,
    ),
  )
  t.is(new URL(page.url()).pathname, '/sign-in')
  await page.fill('input[type=password]', password)
  await page.press('input[type=password]', 'Enter')
  await page.waitForURL(`${address}/licenses`)
  t.regex(await page.title(), /Licenses/)
  const cookies = await context.cookies()
  t.true(
    cookies.some(
      ({ name, secure, httpOnly, sameSite }) => /^leasehold-/.test(name) && secure && httpOnly && sameSite === 'Strict',
    ),
  )
  // plain HTTP leads there too
  await page.goto(`http://127.0.0.2:${agent.port}/products`)
  t.is(page.url(), `${address}/products`)

  const journal = await agent.ask('GET', '/journal?type=agent.reach_changed', undefined, cli)
  t.like((journal.body.items as object[])[0], { type: 'agent.reach_changed', facts: { remote: true, serving: false } })
  t.is((await change({ 'ui.remote': false }, cli)).status, 200)
  await waitFor('the end of it', () =>
    page.goto(`${address}/`).then(
      () => false,
      () => true,
    ),
  )
  t.is((await agent.launch.kill('SIGTERM')).code, 0)
})
