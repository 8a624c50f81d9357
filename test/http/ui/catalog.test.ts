import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { endReasons, errorTable } from '../../../agent/errors.ts'
import { detachmentActions, detachmentStates } from '../../../agent/http/api/detachment-shapes.ts'
import { licenseStates } from '../../../agent/http/api/license-shapes.ts'
import { managerStates, waysFound } from '../../../agent/http/api/manager-shapes.ts'
import { servingStates } from '../../../agent/http/api/serving.ts'
import { sessionStates } from '../../../agent/http/api/shapes.ts'
import { guards } from '../../../agent/http/guards.ts'
import { testSteps } from '../../../agent/http/ui/agent-rows.ts'
import { periods } from '../../../agent/http/ui/calendar.ts'
import { themes } from '../../../agent/http/ui/cookies.ts'
import { factNames, sectionNames } from '../../../agent/http/ui/diagnostics.ts'
import { helpTopics } from '../../../agent/http/ui/help.ts'
import { journalTypes } from '../../../agent/http/ui/journal-rows.ts'
import { audiences } from '../../../agent/http/ui/network-parts.ts'
import { licenseModes } from '../../../agent/http/ui/product-parts.ts'
import { helpfulPages } from '../../../agent/http/ui/refused.ts'
import { sessionOrders } from '../../../agent/http/ui/session-selection.ts'
import { settingsTabs } from '../../../agent/http/ui/settings-page.ts'
import { siteOrders } from '../../../agent/http/ui/sites.ts'
import { documentKinds } from '../../../agent/http/ui/update.ts'
import { createLanguages, type Message, readCatalogs } from '../../../agent/language.ts'
import { options, root } from './page-app.ts'

const catalogs = await readCatalogs(path.join(options.views, 'locales'))
const english = catalogs.get('en')?.texts ?? {}

/** Keys whose words other owners give in English themselves; a catalog may have them. */
const lent = /^(error|owner|setting|unit|choice|import_reason|health\.\w+)\./

/** Keys that are put together in code, with every end they can have. */
const families: Readonly<Record<string, readonly string[]>> = {
  'theme.': themes,
  'site_state.': ['started', 'stopped', 'recycling'],
  'site_access.': ['full', 'administration', 'none'],
  'sites.': siteOrders.flatMap((order) => [`${order}_title`, `${order}_text`, `${order}_button`]),
  'license_state.': licenseStates,
  'session_state.': sessionStates,
  'end_reason.': endReasons,
  'sessions.column_': sessionOrders,
  'detachable.column_': ['product', 'enabled', 'reserved', 'max_days', 'now'],
  'detach.to_': ['here_hint', 'agent_hint', 'block_hint'],
  'detached.': detachmentActions,
  'detached.block_': ['detachment', 'detachment_text', 'receipt', 'receipt_text'],
  'detached_state.': ['attached', ...detachmentStates.flatMap((state) => [state, `${state}_text`])],
  'reminder.': ['days', 'day', 'hours'],
  'import.column_': ['setting', 'from', 'to', 'lines'],
  'rules.column_': ['who', 'address', 'product', 'times', 'last', 'outcome', 'after', 'rule'],
  'managers.column_': ['name', 'addresses', 'found', 'state', 'version', 'latency', 'seen', 'offers'],
  'search.column_': ['place', 'origin', 'step', 'result'],
  'found.': waysFound,
  'agent_state.': managerStates,
  'approval.': ['pending', 'approved', 'denied'],
  'agent_trouble.': ['forked', 'rolled_back'],
  'test_step.': testSteps,
  'step_outcome.': ['passed', 'failed', 'skipped'],
  'search_result.': ['running', 'found', 'self', 'failed', 'nothing'],
  'reach.': ['approved', 'rules', 'people', 'proxy'],
  'audience.': audiences,
  'rules.': ['allow', 'deny'].flatMap((action) => ['machine', 'address', 'user'].map((about) => `${action}_${about}`)),
  'serving.': servingStates.flatMap((state) => [state, `${state}_text`]),
  'licenses.column_': ['product', 'state', 'seats', 'vendor', 'kind', 'location', 'ends'],
  'license_model.': ['perpetual', 'subscription'],
  'count_rule.': ['session', 'process', 'host', 'user'],
  'early_return.': ['online', 'offline', 'atDate'],
  'navigation.': [
    'overview',
    'licenses',
    'licenses_second',
    'products',
    'features',
    'sessions',
    'computers',
    'detached',
    'update',
    'journal',
    'history',
    'refused',
    'managers',
    'search',
    'test',
    'configuration',
    'service',
    ...settingsTabs,
    'diagnostics',
    'help',
    'interface',
  ],
  'mode.': licenseModes,
  'diagnostics.': sectionNames,
  'diagnostics.fact_': factNames,
  'access.': ['standalone', 'network'],
  'document.': documentKinds,
  'journal_type.': journalTypes,
  'journal.column_': ['time', 'type', 'product', 'user', 'machine', 'outcome'],
  'history.': periods,
  'refused.way_': helpfulPages,
  'help.': helpTopics.flatMap(({ key }) => [`${key}.title`, `${key}.text`, `${key}.link`]),
  'interface.in_': ['path', 'query', 'header'],
  'interface.guard_': guards,
  'health.': ['ok', 'notice', 'warning', 'error'],
  'source.': ['default', 'file', 'administrator', 'environment'],
  'password.': ['current', 'password', 'again'],
}

function read(folder: string, ending: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n')
}
const views = read(options.views, '.njk')
const sources = read(path.join(root, 'agent/http/ui'), '.ts')

function listPlaces(message: Message): string {
  const texts = typeof message === 'string' ? [message] : Object.values(message)
  return [...new Set(texts.flatMap((text) => text?.match(/\{\w+\}/g) ?? []))].sort().join(' ')
}

function listUsed(): { readonly keys: ReadonlySet<string>; readonly prefixes: ReadonlySet<string> } {
  const keys = new Set<string>()
  const prefixes = new Set<string>()
  for (const [, key = ''] of `${views}\n${sources}`.matchAll(/\bt\(\s*'([^']+)'/g))
    if (/[._]$/.test(key)) prefixes.add(key)
    else keys.add(key)
  for (const [, first = '', second = ''] of sources.matchAll(/\bt\(\s*[^'"`)]*\?\s*'([^']+)'\s*:\s*'([^']+)'/g))
    keys.add(first).add(second)
  for (const [, prefix = ''] of sources.matchAll(/\bt\(\s*`([^$`]+)\$\{/g)) prefixes.add(prefix)
  for (const [, key = ''] of sources.matchAll(/'((?:said|navigation)\.\w+)'/g)) keys.add(key)
  prefixes.delete('error.')
  return { keys, prefixes }
}

test('every key that pages use is in the English catalog', (t) => {
  const { keys, prefixes } = listUsed()
  const family = [...prefixes].flatMap((prefix) => (families[prefix] ?? ['?']).map((end) => `${prefix}${end}`))
  t.deepEqual(
    [...keys, ...family].filter((key) => english[key] === undefined && !lent.test(key)),
    [],
  )
  t.true(keys.size > 150)
})

test('every key of the English catalog is used by a page', (t) => {
  const { keys, prefixes } = listUsed()
  const used = new Set([
    ...keys,
    ...[...prefixes].flatMap((prefix) => (families[prefix] ?? []).map((end) => prefix + end)),
  ])
  t.deepEqual(
    Object.keys(english).filter((key) => !used.has(key) && !lent.test(key)),
    [],
  )
})

for (const [tag, catalog] of catalogs) {
  test(`the catalog ${tag} has every text with the same places in it, and none that English does not know`, (t) => {
    const missing = Object.keys(english).filter((key) => catalog.texts[key] === undefined && !lent.test(key))
    const unknown = Object.keys(catalog.texts).filter((key) => english[key] === undefined && !lent.test(key))
    const differing = Object.entries(catalog.texts).filter(
      ([key, text]) => english[key] !== undefined && listPlaces(text) !== listPlaces(english[key]),
    )
    t.deepEqual({ missing, unknown, differing }, { missing: [], unknown: [], differing: [] })
  })
}

test('a catalog that is not English says every error code in its own words', (t) => {
  const wanted = Object.keys(errorTable).flatMap((code) => [`error.${code}.title`, `error.${code}.help`])
  for (const [tag, { texts }] of catalogs) {
    const own = Object.keys(texts).filter((key) => key.startsWith('error.'))
    t.deepEqual([...own].sort(), tag === 'en' ? [] : [...wanted].sort(), tag)
  }
})

test('templates hold no texts of their own', (t) => {
  const own = ['Leasehold', '–  – Leasehold', 'CSV', 'JSON', 'NDJSON', 'leasehold password']
  // Macros that build the attributes of a field stand outside of any tag.
  const attributes = /^(id="" name=""|-hint -error -note$)/
  const bare = views
    .replace(/\{#[\s\S]*?#\}|\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g, '')
    .replace(/<[^>]*>/g, '\n')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /\p{Letter}{2}/u.test(line) && !own.includes(line) && !attributes.test(line))
  t.deepEqual(bare, [])
})

test('a language counts in its own plurals, fills its places, and writes numbers its own way', (t) => {
  const languages = createLanguages(catalogs)
  const de = languages.get('de')
  t.is(de.t('seats.count', { count: 1 }), '1 Platz')
  t.is(de.t('seats.count', { count: 12_345 }), '12.345 Plätze')
  t.is(languages.get('en').t('sessions.holder', { user: '{machine}', machine: 'WS-17' }), '{machine} on WS-17')
  t.is(de.translate('setting.agent.name.label', 'Machine Name'), 'Rechnername')
  t.is(de.translate('setting.of.tomorrow.label', 'Tomorrow'), 'Tomorrow')
  t.is(languages.get('en').t('error.no_seats.title'), errorTable.no_seats.title)
})

test('a catalog without a text falls back to English, and a text of nobody shows its key', (t) => {
  const languages = createLanguages(new Map([...catalogs, ['xx', { language: 'X', direction: 'rtl', texts: {} }]]))
  t.is(languages.get('xx').t('form.cancel'), 'Cancel')
  t.is(languages.get('xx').direction, 'rtl')
  t.is(languages.get('xx').t('nobody.knows'), 'nobody.knows')
})

test('the browser chooses the language by what it accepts, best first', (t) => {
  const languages = createLanguages(catalogs)
  t.is(languages.accept('fr-FR, de-AT;q=0.8, en;q=0.9')?.tag, 'en')
  t.is(languages.accept('fr, de-AT;q=0.8, en;q=0.7')?.tag, 'de')
  t.is(languages.accept('de;q=0, *'), undefined)
  t.is(languages.accept(''), undefined)
  t.is(languages.accept(','.repeat(10_000)), undefined)
})
