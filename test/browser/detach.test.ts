import ava from 'ava'
import { testNeeding } from '../helpers/needing.ts'
import { makeDetachment } from '../http/ui/sample-detaching.ts'
import { chromiumPath, howToGetChromium } from './chromium.ts'
import { closeBrowser, open } from './opened.ts'

const test = testNeeding(chromiumPath !== undefined, howToGetChromium)

test('S8: with scripts off, seats are detached in three steps and given back in one press', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/products`)
  await page.getByRole('link', { name: 'Detach Acme CAD' }).click()
  // It is only asked for where it is chosen.
  await page.getByLabel('Recipient ID', { exact: true }).waitFor({ state: 'hidden' })
  await press('Next: until when')
  await page.getByLabel('Select an expiration date').fill('2026-12-02')
  await press('Next: check')
  await page.getByText('Wednesday, December 2, 2026 at 23:59:59 GMT+1 (Europe/Berlin)').waitFor()
  await press('Back')
  await page.getByLabel('Select an expiration date').fill('2026-12-03')
  await press('Next: check')
  await press('Detach & Attach')
  await page.getByText('Acme CAD is attached to WS-17 until Thursday, December 3').waitFor()
  await page.getByRole('link', { name: 'Return now' }).click()
  await press('Return now')
  await page.getByText('given back; LICENSES is told').waitFor()
  t.deepEqual(parts.done.slice(1), ['gave back d-new'])
})

test('S11: with scripts off, a recipient block from a file becomes a detachment whose block is downloaded', async (t) => {
  const { page, parts, server } = await open(t, 'some', { javaScriptEnabled: false })
  const press = (name: string) => page.getByRole('main').getByRole('button', { name, exact: true }).click()
  await page.goto(`${server.address}/products/acme/cad/detach`)
  await page.getByLabel('A machine with no connection').check()
  await page.getByLabel('Or choose a file').setInputFiles({
    name: 'recipient.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('-----BEGIN LEASEHOLD RECIPIENT-----\nAAAA\n-----END LEASEHOLD RECIPIENT-----'),
  })
  await press('Next: until when')
  await press('Next: check')
  await press('Detach')
  await page.getByText('Show the block and bring it there').waitFor()
  await press('Show the block: 1 seat of Acme CAD for LAPTOP-7')
  const [download] = await Promise.all([page.waitForEvent('download'), press('Download')])
  t.is(download.suggestedFilename(), 'detachment-d-new.txt')
  await page.getByText('QR code').click()
  await page.getByRole('img', { name: 'Detachment as a QR code' }).waitFor()
  t.is(parts.done.length, 2)
})

test('a day that is chosen is spelled out at once, and softly has no date', async (t) => {
  const { page, server } = await open(t, 'some')
  await page.goto(`${server.address}/products/acme/cad/detach`)
  await page.getByRole('button', { name: 'Next: until when' }).click()
  await page.getByText('It ends with Tuesday, December 1, 2026.').waitFor()
  await page.getByLabel('Select an expiration date').fill('2026-12-04')
  await page.getByText('It ends with Friday, December 4, 2026.').waitFor()
  await page.getByLabel('Softly').check()
  await page.getByLabel('Select an expiration date').waitFor({ state: 'hidden' })
  t.pass()
})

test('Detached follows what happens, and Return now opens as a dialog', async (t) => {
  const { page, parts, server } = await open(t, 'some')
  await page.goto(`${server.address}/detached`)
  await page.getByText('Live', { exact: true }).waitFor()
  parts.taken.list.push(makeDetachment({ id: 'd-fresh', title: 'Acme Flow', product: 'acme/acme-flow' }))
  server.tell('detachment.changed')
  await page.getByText('Acme Flow').first().waitFor()
  await page.getByText('6 detachments').waitFor()
  await page.getByRole('link', { name: 'Return now: 1 seat of Acme Flow from LICENSES' }).click()
  const dialog = page.getByRole('dialog', { name: 'Return now: 1 seat of Acme Flow from LICENSES' })
  t.true(await dialog.getByRole('link', { name: 'Cancel' }).evaluate((element) => element.matches(':focus')))
  await dialog.getByRole('button', { name: 'Return now' }).click()
  await page.getByText('given back; LICENSES is told').waitFor()
  t.deepEqual(parts.done, ['gave back d-fresh'])
})

ava.after.always(closeBrowser)
