/**
 * Chromium or Chrome for the tests of the pages, with the flags that keep it from talking to anybody else.
 * Owns nothing; who launches it closes it.
 */
import { type Browser, chromium } from 'playwright-core'
import { findBrowser } from '../helpers/walk-browser.ts'

export const howToGetChromium =
  'the pages are tested in Chromium or Chrome; get one with: apt-get install chromium (scripts/install-test-tools.sh does it)'

/** Where there is one on this machine. */
export const chromiumPath = findBrowser()

export function launchChromium(executablePath: string): Promise<Browser> {
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
