import ava from 'ava'
import { testNeeding } from '../helpers/needing.ts'
import { siteToken } from '../http/ui/sample-sites.ts'
import { chromiumPath, howToGetChromium } from './chromium.ts'
import { closeBrowser, open } from './opened.ts'

const test = testNeeding(chromiumPath !== undefined, howToGetChromium)

test('with scripts off, a site is added with its token, recycled and removed, and seats are kept and given back', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/configuration/basic`)
  await page.getByRole('navigation', { name: 'Configuration' }).getByRole('link', { name: 'Sites' }).click()
  const form = page.locator('#site-form')
  await form.getByLabel('Name', { exact: true }).fill('blog')
  await form.getByLabel('Server product').fill('acme/server')
  await form.getByLabel('Client product').fill('acme/client')
  await form.getByLabel('Client seats').fill('7')
  await press('Add site')
  await page.getByText(siteToken).waitFor()
  const openSite = async (name: string) => {
    await page.goto(`${server.address}/configuration/sites`)
    await page.getByRole('link', { name, exact: true }).click()
  }
  await openSite('shop')
  await page.getByRole('link', { name: 'Recycle now' }).click()
  await press('Recycle now')
  await page.getByText('The seats of shop were recycled.').waitFor()
  await openSite('blog')
  await page.getByText('The site is not started').waitFor()
  t.is(await page.getByText(siteToken).count(), 0)
  await page.getByRole('link', { name: 'Remove site' }).click()
  await press('Remove site')
  await page.getByText('The site blog was removed.').waitFor()
  const keep = page.locator('#reserve-form')
  await keep.getByLabel('Name', { exact: true }).fill('office')
  await keep.getByLabel('Product', { exact: true }).fill('acme/cad')
  await keep.getByLabel('Seats', { exact: true }).fill('2')
  await press('Keep seats')
  await page.getByText('The reserve office has 2 of 2 seats.').waitFor()
  await page.getByRole('link', { name: 'Give back the reserve office' }).click()
  await press('Give back')
  await page.getByText('The reserve office is given back.').waitFor()
  t.deepEqual(parts.done, [
    'defined blog 7',
    'recycled shop',
    'removed blog',
    'kept office {"product":"acme/cad","seats":2}',
    'given back office',
  ])
})

test('P7: who signs in at a site appears on its page while it is open', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/configuration/sites/shop`)
  await page.getByText('Live', { exact: true }).waitFor()
  await page.getByText('Ana Ruiz').waitFor()
  await page.getByText('1 seat is missing.').waitFor()
  const [shop] = parts.kept.sites
  if (shop === undefined) return t.fail()
  const { missing: _, ...site } = shop
  const signedInAt = site.signIns[0]?.signedInAt ?? ''
  parts.kept.sites[0] = {
    ...site,
    occupied: 3,
    signIns: [{ user: { displayName: 'Cleo' }, access: 'full', signedInAt, session: 'w9' }, ...site.signIns],
  }
  server.tell('site.changed')
  await page.getByText('Cleo').waitFor()
  await page.locator('#state').getByText('3 of 4 occupied').waitFor()
  await page.getByText('1 seat is missing.').waitFor({ state: 'detached' })
  t.pass()
})

ava.after.always(closeBrowser)
