/**
 * Finds a Chromium or Chrome for the tests of the pages. Where there is none, the tests say in one line how to get one and
 * count as skipped; under CI=true that is a failure, since there one was promised.
 */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

export const howToGetOne =
  'No Chromium or Chrome was found. Get one with: apt-get install chromium (or scripts/install-test-tools.sh), or name it in CHROMIUM.'

export function findChromium(environment: NodeJS.ProcessEnv): string | undefined {
  const folders = (environment.PATH ?? '').split(path.delimiter)
  const candidates = [
    environment.CHROMIUM,
    ...names.flatMap((name) => folders.map((folder) => path.join(folder, name))),
    ...places,
  ]
  return candidates.find((candidate) => {
    if (candidate === undefined || candidate === '') return false
    try {
      accessSync(candidate, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** undefined: there is none, and that is no failure here. */
export async function launchChromium(environment: NodeJS.ProcessEnv = process.env): Promise<Browser | undefined> {
  const executablePath = findChromium(environment)
  if (executablePath === undefined) {
    if (environment.CI === 'true') throw new Error(howToGetOne)
    return undefined
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
