/**
 * One page with every component and every fixture of it, for the tests and for people who work on the style.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Templates } from '../../agent/http/render.ts'
import { createLanguages, readCatalogs } from '../../agent/language.ts'
import { options } from '../http/ui/page-app.ts'

interface Fixture {
  readonly name: string
  readonly wrap?: 'row'
  readonly params: object
}

const folder = path.join(options.views, 'components')
export const components = readdirSync(folder).sort()

export function readFixtures(component: string): readonly Fixture[] {
  return JSON.parse(readFileSync(path.join(folder, component, 'fixtures.json'), 'utf8')) as Fixture[]
}

/** Ids of fixtures are used once each, so that two of one component can stand on the same page. */
function numberIds(params: object, number: number): object {
  return 'id' in params ? { ...params, id: `${String(params.id)}-${number}` } : params
}

export async function renderGallery({ environment }: Templates): Promise<string> {
  const { t } = createLanguages(await readCatalogs(path.join(options.views, 'locales'))).get('en')
  const pieces: string[] = []
  for (const component of components) {
    for (const [number, fixture] of readFixtures(component).entries()) {
      const html = environment.renderString(
        `{% from "components/${component}/macro.njk" import ${component} with context %}{{ ${component}(params) }}`,
        { t, params: numberIds(fixture.params, number) },
      )
      const wrapped = fixture.wrap === 'row' ? `<table><tbody><tr>${html}<td>x</td></tr></tbody></table>` : html
      // Landmarks and alerts of several fixtures would stand on one page as they never do.
      const single = wrapped
        .replace(/aria-label="Pages of the list"/, `aria-label="Pages ${number}"`)
        .replace('id="errors"', '')
      pieces.push(`<div data-fixture="${component}">${single}</div>`)
    }
  }
  const style = environment.renderString(`<link rel="stylesheet" href="{{ asset('leasehold.css') }}">`, {})
  return `<!doctype html><html lang="en"><head><title>Gallery</title>${style}</head><body><main class="main"><h1>Gallery</h1>${pieces.join('\n')}</main></body></html>`
}
