import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { ownerSentences } from '../../../agent/http/ui/owner-words.ts'
import { readCatalogs } from '../../../agent/language.ts'
import { options, root } from './page-app.ts'

const catalogs = await readCatalogs(path.join(options.views, 'locales'))

/** Each place where something is put in becomes a §. */
function bareOf({ source }: RegExp): string {
  let bare = ''
  for (let at = 1; at < source.length - 1; at++) {
    if (source.startsWith('(?<', at)) {
      for (let depth = 0; ; at++) {
        if (source[at] === '\\') at++
        else if (source[at] === '(') depth++
        else if (source[at] === ')' && --depth === 0) break
      }
      if (source[at + 1] === '?') at++
      bare += '§'
    } else if (source[at] === '\\') bare += source[++at]
    else bare += source[at]
  }
  return bare
}

/** What is put in may hold another text with such places. */
function fillIn(text: string): string {
  const filled = text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '§')
  return filled === text ? text : fillIn(filled)
}

/** Texts that stand in the source of the owners, as what fits them. */
const said = [
  'access-rules.ts',
  'agent-detachable.ts',
  'config/kinds.ts',
  'config/search-parameters.ts',
  'detachment-asking.ts',
  'detachment-blocks.ts',
  'detachment-holding.ts',
  'detachment-making.ts',
  'detachment-refusals.ts',
  'detachment-returning.ts',
  'detachment-view.ts',
  'detachment-wish.ts',
  'detachments.ts',
  'document-desk.ts',
  'domain/documents/armor-reader.ts',
  'domain/documents/detachment.ts',
  'domain/documents/document.ts',
  'domain/documents/jws.ts',
  'http/api/shapes.ts',
  'http/api/site-shapes.ts',
  'http/fields.ts',
  'jobs/recycle.ts',
  'lease-search.ts',
  'licenses.ts',
  'peers/connection-test.ts',
  'peers/connection-words.ts',
  'peers/detachment-desk.ts',
  'peers/lease-desk-ask.ts',
  'peers/lease-desk-guards.ts',
  'peers/lease-desk-refusals.ts',
  'peers/meeting.ts',
  'peers/peer-channel.ts',
  'peers/peer-client.ts',
  'peers/peer-connection.ts',
  'peers/peer-exchange.ts',
  'peers/probes.ts',
  'peers/system-network.ts',
  'reserve-keeper.ts',
  'reserve-taker.ts',
  'reserves.ts',
  'serving.ts',
  'session-refusals.ts',
  'site-refusals.ts',
  'vendor-trust.ts',
].flatMap((name) => {
  const text = readFileSync(path.join(root, 'agent', name), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '')
  const inner = [...text.matchAll(/\$\{[^{}]*('[^'\n]+')\}/g)].map(([, one]) => one).join('\n')
  return [text, fillIn(text), inner]
    .flatMap((source) => [...source.matchAll(/"([^"'\n]*'[^"\n]*)"|'([^'\n]*)'|`([^`\n]*)`/g)])
    .map(([, quoted, plain, filled]) => fillIn(quoted ?? plain ?? filled ?? ''))
    .filter((one) => one.replaceAll(/§|\W/g, '').length >= 4)
    .map((one) => new RegExp(`^${one.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('§', '.*')}\\.?$`))
})

test('every sentence of the table stands in the source of an owner, and has a German text with the same places', (t) => {
  const texts = catalogs.get('de')?.texts ?? {}
  t.is(new Set(ownerSentences.map(([key]) => key)).size, ownerSentences.length)
  for (const [key, pattern] of ownerSentences) {
    const bare = bareOf(pattern)
    // the code of the system may be put behind it elsewhere, another sentence before or after it
    const plain = bare.replace(/ \(§\)$/, '')
    const ways = [bare, plain, `${bare}.`, `${bare} §`, ` ${bare}`, bare.replace(/ Paste .*$/, ''), `; ${bare}`]
    t.true(
      said.some((one) => ways.some((way) => one.test(way))),
      `nobody says: ${bare}`,
    )
    const places = [...pattern.source.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name)
    const named = [...JSON.stringify(texts[`owner.${key}`]).matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    t.deepEqual([...new Set(named)].sort(), places.sort(), key)
  }
  const keys = Object.keys(texts).filter((key) => key.startsWith('owner.'))
  t.deepEqual(keys.sort(), ownerSentences.map(([key]) => `owner.${key}`).sort())
})
