/**
 * A page in a browser, on a server and an agent in memory of its own. Owns the one browser of a test file.
 */
import type { ExecutionContext } from 'ava'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { type PageServer, startPageServer } from '../http/ui/page-app.ts'
import type { Size } from '../http/ui/sample-data.ts'
import { createSampleParts, type SampleParts } from '../http/ui/sample-parts.ts'
import { chromiumPath, launchChromium } from './chromium.ts'

let launched: Promise<Browser> | undefined
function browser(): Promise<Browser> {
  launched ??= launchChromium(chromiumPath ?? '')
  return launched
}

export async function closeBrowser(): Promise<void> {
  await (await launched)?.close()
}

// All tests of a file run at once; as many pages as this are open at a time.
const mostPages = 3
const waiting: (() => void)[] = []
let openPages = 0
const placed = new WeakSet<ExecutionContext>()
async function takePlace(): Promise<void> {
  if (openPages >= mostPages) await new Promise<void>((resolve) => waiting.push(resolve))
  else openPages += 1
}
function leavePlace(): void {
  const next = waiting.shift()
  if (next === undefined) openPages -= 1
  else next()
}

export interface Opened {
  readonly page: Page
  readonly parts: SampleParts
  readonly server: PageServer
  /** What the console said that it should not: errors, refused scripts and styles. */
  readonly complaints: string[]
}

export async function open(t: ExecutionContext, size: Size, options: BrowserContextOptions = {}): Promise<Opened> {
  // Who has a place already does not wait for another behind those who have none.
  const first = !placed.has(t)
  if (first) await takePlace()
  placed.add(t)
  t.timeout(60_000)
  const parts = createSampleParts(size)
  const server = await startPageServer(parts)
  const context = await (await browser()).newContext({ locale: 'en', ...options })
  t.teardown(async () => {
    await context.close()
    await server.close()
    if (first) leavePlace()
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    const text = message.text()
    // The status of a page that is meant to be refused is no complaint.
    if (message.type() === 'error' && !/status of (4|5)\d\d/.test(text)) complaints.push(text)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { page, parts, server, complaints }
}
