/**
 * The browser that a walk uses: Chromium, started at the first step, in the walk's network and with its home folder.
 * Owns the browser process. Imports the walk's own files only.
 */
import { accessSync, constants } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Browser, Page } from 'playwright-core'
import type { BrowserStep } from './walk-document.ts'
import { type Captures, patternSource, substitute } from './walk-patterns.ts'
import type { WalkPlace } from './walk-place.ts'

const patience = 10_000
const mostTabs = 100
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

export function findBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const candidates = [...folders.flatMap((folder) => names.map((name) => path.join(folder, name))), ...places]
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export type StepOutcome =
  | { readonly kind: 'done'; readonly captures: Captures }
  | { readonly kind: 'failed'; readonly reason: string }

export class WalkBrowser {
  readonly #place: WalkPlace
  #browser: Browser | undefined
  #page: Page | undefined

  constructor(place: WalkPlace) {
    this.#place = place
  }

  async follow(step: BrowserStep, captures: Captures): Promise<StepOutcome> {
    try {
      const page = await this.#open()
      const found = await this.#act(page, step, captures)
      return { kind: 'done', captures: { ...captures, ...found } }
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      const shown = this.#page === undefined ? '' : await readText(this.#page).catch(() => '')
      const address = this.#page?.url() ?? 'no address'
      return { kind: 'failed', reason: `${reason}\nThe page at ${address} says:\n${shown}` }
    }
  }

  async close(): Promise<void> {
    await this.#browser?.close()
    this.#browser = undefined
    this.#page = undefined
  }

  async #act(page: Page, step: BrowserStep, captures: Captures): Promise<Captures> {
    const file = (name: string): string => path.resolve(this.#place.folder, name)
    switch (step.kind) {
      case 'open':
        await page.goto(new URL(substitute(step.address, captures), `http://localhost:${this.#place.port}`).href)
        return {}
      case 'fill':
        await page.getByLabel(step.label).fill(substitute(step.value, captures))
        return {}
      case 'fill-file':
        await page.getByLabel(step.label).fill(await readFile(file(step.file), 'utf8'))
        return {}
      case 'select':
        await page.getByLabel(step.label).selectOption({ label: substitute(step.option, captures) })
        return {}
      case 'tick':
        await page.getByLabel(step.label).check()
        return {}
      case 'press':
        await page.getByRole('button', { name: step.button }).click()
        return {}
      case 'follow':
        await page.getByRole('link', { name: step.link }).first().click()
        return {}
      case 'choose': {
        const field = step.label === undefined ? page.locator('input[type=file]') : page.getByLabel(step.label)
        await field.setInputFiles(file(step.file))
        return {}
      }
      case 'scripts':
        await this.#openPage(step.on)
        return {}
      case 'key':
        await page.keyboard.press(step.key)
        return {}
      case 'tab':
        await tabTo(page, substitute(step.name, captures))
        return {}
      case 'expect':
        return waitForText(page, step.text, captures)
      case 'expect-no':
        await waitForNoText(page, step.text, captures)
        return {}
    }
  }

  async #open(): Promise<Page> {
    if (this.#page !== undefined) return this.#page
    const found = findBrowser()
    if (found === undefined) throw new Error('No Chromium was found: sudo scripts/install-test-tools.sh')
    // Playwright talks to Chromium over inherited pipes, which a wrapper that replaces itself keeps.
    const [command, args] = this.#place.wrap(found, [])
    const wrapper = path.join(this.#place.scratch, 'browser.sh')
    await writeFile(wrapper, `#!/bin/sh\nexec ${[command, ...args].map((word) => `'${word}'`).join(' ')} "$@"\n`)
    await chmod(wrapper, 0o755)
    const { chromium } = await import('playwright-core')
    this.#browser = await chromium.launch({
      executablePath: wrapper,
      env: { ...this.#place.env },
      args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
    })
    return this.#openPage(true)
  }

  async #openPage(javaScriptEnabled: boolean): Promise<Page> {
    const browser = this.#browser
    if (browser === undefined) throw new Error('the browser is closed')
    await this.#page?.close()
    const page = await browser.newPage({ javaScriptEnabled, locale: 'en' })
    page.setDefaultTimeout(patience)
    this.#page = page
    return page
  }
}

/** By what a screen reader would say of it: its label, or the text in it. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < mostTabs; presses += 1) {
    await page.keyboard.press('Tab')
    const found: unknown = await page.evaluate(
      'document.activeElement?.ariaLabel ?? document.activeElement?.innerText ?? ""',
    )
    if (String(found).replaceAll(/\s+/g, ' ').trim() === name) return
  }
  throw new Error(`the Tab key did not come to "${name}"`)
}

/** The text as a person sees it: without what is hidden. */
async function readText(page: Page): Promise<string> {
  const text: unknown = await page.evaluate('document.body.innerText')
  return String(text).replaceAll(/[^\S\n]+/g, ' ')
}

async function waitForText(page: Page, wanted: string, captures: Captures): Promise<Captures> {
  // A name at the end captures the rest of the word, not its first letter.
  const pattern = new RegExp(patternSource(wanted, captures) + (wanted.endsWith('>') ? '(?!\\S)' : ''))
  const deadline = AbortSignal.timeout(patience)
  for (;;) {
    // Read in the middle of a navigation, a page has no text.
    const match = pattern.exec(await readText(page).catch(() => ''))
    if (match !== null) return { ...match.groups }
    if (deadline.aborted) throw new Error(`"${wanted}" did not appear`)
    await pause(50)
  }
}

async function waitForNoText(page: Page, unwanted: string, captures: Captures): Promise<void> {
  const pattern = new RegExp(patternSource(unwanted, captures))
  const deadline = AbortSignal.timeout(patience)
  while (
    await readText(page).then(
      (text) => pattern.test(text),
      () => true,
    )
  ) {
    if (deadline.aborted) throw new Error(`"${unwanted}" is still there`)
    await pause(50)
  }
}
