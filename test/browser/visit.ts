/** One visit to a page, and how a form on it is sent. Owns nothing. */
import type { Page } from 'playwright-core'
import type { Size } from '../http/ui/sample-data.ts'
import type { SampleParts } from '../http/ui/sample-parts.ts'

export interface Visit {
  readonly name: string
  readonly size: Size
  readonly address: string
  readonly language?: string
  prepare?(parts: SampleParts): void
  /** What the visitor does there, before it is looked at. */
  act?(page: Page): Promise<unknown>
}

export async function send(page: Page, fill: () => Promise<unknown>, button: string): Promise<void> {
  await fill()
  await page.getByRole('main').getByRole('button', { name: button, exact: true }).click()
  await page.waitForLoadState('load')
}
