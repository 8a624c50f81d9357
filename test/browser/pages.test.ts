import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import ava from 'ava'
import type { Page } from 'playwright-core'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { makeSession } from '../http/ui/sample-data.ts'
import { chromiumPath, howToGetChromium } from './chromium.ts'
import { renderGallery } from './gallery.ts'
import { closeBrowser, open } from './opened.ts'
import { visits } from './visits.ts'

const test = testNeeding(chromiumPath !== undefined, howToGetChromium)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const looks = [
  { name: 'light', colorScheme: 'light', width: 1280, rules: undefined },
  { name: 'dark, between wide and narrow', colorScheme: 'dark', width: 960, rules: ['color-contrast'] },
  {
    name: 'at 320 px',
    colorScheme: 'light',
    width: 320,
    rules: ['color-contrast', 'target-size', 'button-name', 'link-name', 'region', 'scrollable-region-focusable'],
  },
] as const

/** What axe finds wrong, as `rule: selector`. It comes in through the debugger, so the content policy stays as it is. */
async function findBarriers(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  return page.evaluate(async (only) => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> }
    }
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const runOnly = only === null ? { type: 'tag', values: tags } : { type: 'rule', values: only }
    const { violations } = await checker.run({ runOnly, resultTypes: ['violations'] })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`))
  }, rules ?? null)
}

function widthOf(page: Page): Promise<{ readonly content: number; readonly window: number }> {
  return page.evaluate(() => {
    const { document, innerWidth } = globalThis as unknown as {
      document: { documentElement: { scrollWidth: number } }
      innerWidth: number
    }
    return { content: document.documentElement.scrollWidth, window: innerWidth }
  })
}

for (const visit of visits) {
  test(`“${visit.name}” has no barrier, no sideways scrolling and nothing that its policy refuses: light, dark, at 320 px`, async (t) => {
    const { page, parts, server, complaints } = await open(t, visit.size, {
      colorScheme: 'light',
      viewport: { width: 1280, height: 800 },
      locale: visit.language ?? 'en',
    })
    visit.prepare?.(parts)
    await page.goto(server.address + visit.address)
    await visit.act?.(page)
    for (const look of looks) {
      await page.setViewportSize({ width: look.width, height: 800 })
      await page.emulateMedia({ colorScheme: look.colorScheme })
      const { content, window } = await widthOf(page)
      t.true(content <= window, `${look.name}: ${content} px of content in ${window}`)
      t.deepEqual(await findBarriers(page, look.rules), [], look.name)
    }
    t.deepEqual(complaints, [])
    t.is(await page.evaluate(() => Reflect.get(globalThis, 'hurt')), undefined)
  })
}

test('every component renders its fixtures without a barrier, light and dark', async (t) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, server, complaints } = await open(t, 'some', { colorScheme })
    await page.route('**/gallery', async (route) => {
      await route.fulfill({ contentType: 'text/html', body: await renderGallery(server.pages.templates) })
    })
    await page.goto(`${server.address}/gallery`)
    t.true((await page.locator('[data-fixture]').count()) > 30)
    t.deepEqual(await findBarriers(page), [])
    t.deepEqual(complaints, [])
  }
})

test('with scripts off, a license is added, trusted, activated, and a session disconnected', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/`)
  await page.getByRole('navigation', { name: 'Options' }).getByRole('link', { name: 'Licenses' }).click()
  await page.getByRole('link', { name: 'Add a license' }).click()
  await page.getByLabel('License code').fill('stranger\n-----BEGIN LEASEHOLD LICENSE-----')
  await press('Add')
  await press('Trust this vendor and add')
  await press('Make the request')
  const [download] = await Promise.all([page.waitForEvent('download'), press('Download')])
  t.is(download.suggestedFilename(), 'activation-request-lic-new.txt')
  await page.getByLabel('Or choose a file').setInputFiles({
    name: 'answer.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('-----BEGIN LEASEHOLD ACTIVATION-----'),
  })
  await press('Activate')
  await page.getByText('The license is activated.').waitFor()
  await page.goto(`${server.address}/sessions`)
  await page.getByRole('link', { name: 'Disconnect Ana Ruiz on WS-17 from Acme CAD' }).click()
  await press('Disconnect Ana Ruiz on WS-17')
  await page.getByText('Ana Ruiz on WS-17 is told to stop.').waitFor()
  t.deepEqual(parts.done.slice(1), ['requested lic-new', 'activated lic-new', 'disconnected s0000-2f9b1c7d'])
})

test('between cards and full width, tables keep their buttons inside, in every language', async (t) => {
  for (const locale of ['en', 'de']) {
    const { page, server } = await open(t, 'full', { locale })
    for (const address of [
      '/sessions',
      '/licenses',
      '/products',
      '/features',
      '/computers',
      '/journal',
      '/managers',
      '/managers/search',
      '/detached',
    ]) {
      await page.goto(server.address + address)
      for (const width of [1040, 1160, 1200, 1280, 1400]) {
        await page.setViewportSize({ width, height: 800 })
        const beyond = await page.locator('.table-frame').evaluateAll((frames) =>
          frames.map((frame) => {
            const { scrollWidth, clientWidth } = frame as unknown as { scrollWidth: number; clientWidth: number }
            return scrollWidth - clientWidth
          }),
        )
        t.true(
          beyond.length > 0 && beyond.every((each) => each === 0),
          `${locale} ${width} ${address}: ${beyond.join(', ')}`,
        )
      }
    }
  }
})

test('with scripts off, a block is looked at and applied, a product recounted, the log filtered', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/update`)
  await page.getByLabel('Text with one block or several').fill(`${'-'.repeat(5)}BEGIN LEASEHOLD LICENSE-----`)
  await press('See what it would do')
  await press('Apply')
  await page.getByText('To the license').waitFor()
  await page.goto(`${server.address}/products/acme/cad`)
  await press('Recount')
  await page.getByText('Recounted: 3 seats are in use').waitFor()
  await page.goto(`${server.address}/journal`)
  await page.getByLabel('What happened').selectOption('session.refused')
  await press('Filter')
  await page.getByText('3 entries fit the filter').waitFor()
  t.deepEqual(parts.done, ['applied as it is', 'recounted acme/cad'])
})

test('products, history and refusals follow what happens without a reload', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/products`)
  await page.getByText('Live', { exact: true }).waitFor()
  const details = page.getByRole('link', { name: 'Details of Acme CAD' })
  await details.focus()
  const [first] = parts.licenseList
  const [product] = first?.products ?? []
  if (first !== undefined && product !== undefined)
    parts.licenseList[0] = { ...first, products: [{ ...product, used: 5 }] }
  server.tell('session.opened')
  await page.getByText('5 of 5 in use').first().waitFor()
  t.true(await details.evaluate((element) => element.matches(':focus')))
  await page.goto(`${server.address}/refused`)
  await page.getByText('Live', { exact: true }).waitFor()
  const [refusal] = parts.refusalList
  if (refusal !== undefined) parts.refusalList.unshift({ ...refusal, id: 'refusal-4', user: 'Zoe Novak' })
  server.tell('session.refused')
  await page.getByText('Zoe Novak').waitFor()
  await page.getByText('4 refusals').waitFor()
})

test('the numbers of a chart stay open while the page follows what happens', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/history`)
  await page.getByText('Live', { exact: true }).waitFor()
  const panel = page.locator('#history-acme-cad')
  await panel.getByText('The same in numbers').click()
  const asked = page.waitForResponse((response) => response.url().endsWith('/history'))
  server.tell('session.ended')
  await asked
  await waitFor('the page', async () => (await page.locator('.live-state').getAttribute('hidden')) === null)
  t.true(await panel.getByRole('table').isVisible())
})

test('with scripts off, theme and language are switched and kept', async (t) => {
  const { page, server } = await open(t, 'some', { javaScriptEnabled: false, colorScheme: 'light' })
  await page.goto(`${server.address}/sessions?q=ana`)
  await page.getByRole('button', { name: 'Language and theme' }).click()
  await page.getByRole('button', { name: 'Dark', exact: true }).click()
  await page.locator('html[data-theme="dark"]').waitFor()
  await page.getByRole('button', { name: 'Language and theme' }).click()
  await page.getByRole('button', { name: 'Deutsch' }).click()
  await page.getByRole('heading', { name: 'Sitzungen' }).waitFor()
  t.is(new URL(page.url()).search, '?q=ana')
})

test('a link to a call opens it, a button copies its example, and with scripts off it opens and can be read', async (t) => {
  const { page, server } = await open(t, 'some', { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.goto(`${server.address}/help/api`)
  const call = page.locator('#closeSession')
  await page.getByRole('link', { name: 'DELETE /api/v1/sessions/{id}' }).click()
  await call.getByRole('button', { name: 'Copy' }).first().click()
  await call.getByText('Copied').waitFor()
  const copied = await page.evaluate(() =>
    (
      globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }
    ).navigator.clipboard.readText(),
  )
  t.regex(copied, /^curl -s -X DELETE 'http:\/\/localhost:1947\/api\/v1\/sessions\/[\w-]+' \\\n {2}-H 'Session-Key: /)
  const plain = await open(t, 'some', { javaScriptEnabled: false })
  await plain.page.goto(`${plain.server.address}/help/api`)
  await plain.page.locator('#closeSession > summary').click()
  await plain.page.locator('#curl-closeSession').waitFor({ state: 'visible' })
  t.is(await plain.page.locator('#closeSession button:visible').count(), 0)
})

test('a confirm page opens as a dialog: focus on Cancel, Escape closes, focus returns, Disconnect works', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  const link = page.getByRole('link', { name: 'Disconnect Ana Ruiz on WS-17 from Acme CAD' })
  await link.click()
  const dialog = page.getByRole('dialog', { name: 'Disconnect Ana Ruiz on WS-17' })
  await dialog.waitFor()
  t.true(await dialog.getByRole('link', { name: 'Cancel' }).evaluate((element) => element.matches(':focus')))
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  t.true(await link.evaluate((element) => element.matches(':focus')))
  t.deepEqual(parts.done, [])
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'Disconnect Ana Ruiz on WS-17' }).click()
  await page.getByText('Ana Ruiz on WS-17 is told to stop.').waitFor()
  t.is(parts.done.length, 1)
})

test('live rows change in place and keep the focus; new ones are offered, ended ones leave', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  await page.getByText('Live', { exact: true }).waitFor()
  const link = page.getByRole('link', { name: 'Disconnect Bo Lindqvist on WS-18 from Acme CAD' })
  await link.focus()
  parts.sessionList.shift()
  parts.sessionList.push(
    makeSession({ id: 'new', user: { displayName: 'Zoe' }, startedAt: '2026-11-24T13:20:00.000Z' }),
  )
  parts.sessionList[0] = { ...(parts.sessionList[0] as (typeof parts.sessionList)[0]), feature: 'now-rendering' }
  server.tell('session.changed')
  await page.getByText('now-rendering').waitFor()
  await page.getByText('1 new – show').waitFor()
  t.is(await page.locator('#session-s0000-2f9b1c7d').count(), 0)
  t.is(await page.locator('#session-new').count(), 0, 'nothing jumps')
  t.true(await link.evaluate((element) => element.matches(':focus')))
  await page.getByText('1 new – show').click()
  await page.locator('#session-new').waitFor()
})

test('the Overview follows what happens, and its badge with it', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/`)
  await page.getByText('Live', { exact: true }).waitFor()
  parts.problemList.length = 0
  parts.sessionList.length = 0
  server.tell('health.changed')
  await page.getByText('Nothing needs your attention.').waitFor()
  await page.getByText('Nobody uses a seat at the moment').waitFor()
  t.is((await page.locator('.head-state').textContent())?.trim(), 'All is well')
})

test('a broken stream says so and comes back by itself', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  await page.getByText('Live', { exact: true }).waitFor()
  parts.broken = true
  server.tell('session.changed')
  await page.getByText('Live updates paused, trying again').waitFor()
  parts.broken = false
  server.cut()
  await page.getByText('Live', { exact: true }).waitFor()
  t.pass()
})

test('eight open tabs of one browser all work', async (t) => {
  const { page, server } = await open(t, 'some')
  const tabs = [page]
  for (let count = 1; count < 8; count += 1) tabs.push(await page.context().newPage())
  for (const tab of tabs) {
    // Headless tabs are all visible; a browser with a window hides those behind, and hidden ones hold no stream.
    await tab.addInitScript(() => {
      Object.defineProperty(Reflect.get(globalThis, 'document'), 'hidden', {
        get: () => Reflect.get(globalThis, 'shown') !== true,
      })
    })
    await tab.goto(`${server.address}/sessions`)
  }
  for (const tab of tabs) t.is(await tab.getByRole('heading', { level: 1 }).textContent(), 'Sessions')
  t.is(server.streams(), 0)
  await page.evaluate(() => {
    Reflect.set(globalThis, 'shown', true)
    const document = Reflect.get(globalThis, 'document') as EventTarget
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await waitFor('the stream of the shown tab', () => server.streams() === 1)
})

test('the keyboard reaches everything in order, with the skip link first and a visible focus', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  await page.keyboard.press('Tab')
  t.is(await page.locator(':focus').textContent(), 'Skip to the content')
  await page.keyboard.press('Enter')
  t.is(await page.locator(':focus').getAttribute('id'), 'main')
  await page.keyboard.press('Tab')
  t.is(await page.locator(':focus').getAttribute('id'), 'q')
  const outline = await page.locator(':focus').evaluate((element) => {
    const style = (
      Reflect.get(globalThis, 'getComputedStyle') as (of: unknown) => { outlineStyle: string; outlineWidth: string }
    )(element)
    return `${style.outlineStyle} ${style.outlineWidth}`
  })
  t.is(outline, 'solid 2px')
})

test('the exact time of a row shows while its link has the focus', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  const exact = page.locator('#session-s0000-2f9b1c7d .moment-exact').first()
  const read = () =>
    exact.evaluate(
      (element) =>
        (Reflect.get(globalThis, 'getComputedStyle') as (of: unknown) => { clipPath: string })(element).clipPath,
    )
  t.not(await read(), 'none')
  await page.locator('#session-s0000-2f9b1c7d a').first().focus()
  t.is(await read(), 'none')
  t.regex((await exact.textContent()) ?? '', /Nov 24, 2026, 14:13:05 GMT\+1/)
})

test('at 320 px the options open over the page, and every cell of a card says its heading', async (t) => {
  const { page, server } = await open(t, 'some', { viewport: { width: 320, height: 640 } })
  await page.goto(`${server.address}/sessions`)
  const options = page.getByRole('navigation', { name: 'Options' })
  t.false(await options.isVisible())
  await page.getByRole('button', { name: 'Options' }).click()
  t.true(await options.isVisible())
  await options.getByRole('link', { name: 'Licenses' }).click()
  await page.getByRole('heading', { name: 'Licenses' }).waitFor()
  const bare = await page
    .locator('tbody td:not(.row-actions)')
    .evaluateAll((cells) => cells.filter((cell) => !cell.getAttribute('data-label')).length)
  t.is(bare, 0)
})

test('a wrong form has the focus on its summary, which leads to the field', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/configuration/basic`)
  await page.locator('[name="session.idleMinutes"]').fill('')
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.locator('#errors:focus').waitFor()
  await page.getByRole('link', { name: 'Idle timeout: must be a number' }).click()
  t.is(await page.locator(':focus').getAttribute('name'), 'session.idleMinutes')
})

test('a block is copied with its button', async (t) => {
  const { page, server } = await open(t, 'some', { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.goto(`${server.address}/licenses/lic-22b0/activate`)
  await page.getByRole('button', { name: 'Make the request' }).click()
  const button = page.locator('[data-copy]')
  // Only the page in front may write to the clipboard, and other tests open pages of theirs.
  await waitFor('the copy', async () => {
    await page.bringToFront()
    await button.click()
    return (await button.textContent()) === 'Copied'
  })
  const copied = await waitFor('the clipboard', async () => {
    await page.bringToFront()
    return page.evaluate(() => {
      const { navigator } = globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }
      return navigator.clipboard.readText().catch(() => '')
    })
  })
  t.regex(copied, /^-----BEGIN LEASEHOLD ACTIVATION REQUEST-----\n/)
})

test('printed, a page leaves out what can only be pressed and spells out the times', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/sessions`)
  await page.emulateMedia({ media: 'print' })
  t.false(await page.getByRole('navigation', { name: 'Options' }).isVisible())
  t.false(await page.getByRole('button', { name: 'Filter' }).isVisible())
  t.true(await page.getByText('Nov 24, 2026, 14:13:05 GMT+1').isVisible())
})

ava.after.always(closeBrowser)
