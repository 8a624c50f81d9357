import test from 'ava'
import { Configuration } from '../../agent/config/configuration.ts'
import type { FixedValues } from '../../agent/config/load.ts'
import { settingNames } from '../../agent/config/settings.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'

function make(fixed: Partial<FixedValues> = {}, writes = new ManualWrites()) {
  const troubles: string[] = []
  const configuration = new Configuration({
    fixed: { environment: new Map(), file: new Map(), ...fixed },
    writes,
    onTrouble: (what, { name }) => troubles.push(`${what}: ${name}`),
  })
  writes.load(configuration)
  return { configuration, writes, troubles }
}

test('environment comes before administrator before file before default, and each value says where it is from', async (t) => {
  const { configuration } = make({
    environment: new Map([['network.port', 1]]),
    file: new Map<string, number>([
      ['network.port', 2],
      ['detach.maxDays', 2],
      ['session.idleMinutes', 20],
    ]),
    fileName: '/etc/leasehold.yaml',
  })
  await configuration.change({ 'detach.maxDays': 3 }, 'test')
  const described = configuration.describe()
  const of = (name: string) => described.find((one) => one.name === name)
  t.like(of('network.port'), { value: 1, source: 'environment', setBy: 'LEASEHOLD_NETWORK_PORT', editable: false })
  t.like(of('detach.maxDays'), {
    value: 3,
    source: 'administrator',
    editable: true,
    default: 14,
    unit: 'days',
    max: 9999,
  })
  t.is(of('detach.maxDays')?.setBy, undefined)
  t.like(of('session.idleMinutes'), { value: 20, source: 'file', setBy: '/etc/leasehold.yaml', editable: true })
  t.like(of('ui.protection'), {
    value: 'configuration',
    source: 'default',
    kind: 'choice',
    choices: ['none', 'configuration', 'all'],
  })
  t.is(described.length, settingNames.length)
  t.true(configuration.describe('basic').every((one) => one.page === 'basic'))
  t.is(configuration.snapshot()['network.port'], 1)
  t.is(configuration.get('detach.maxDays'), 3)
})

test('a change is in force when it is on disk and not before, and listeners hear of it then', async (t) => {
  const { configuration, writes } = make()
  const heard: unknown[] = []
  const cancel = configuration.onChange('detach.maxDays', (days) => heard.push(days))
  configuration.onAnyChange((names) => heard.push(names))
  writes.holding = true
  const change = configuration.change({ 'detach.maxDays': 30, 'remote.search': ['10.0.0.1'] }, 'ana')
  t.is(configuration.get('detach.maxDays'), 14)
  t.deepEqual(heard, [])
  writes.commit()
  t.deepEqual(heard, [30, ['detach.maxDays', 'remote.search']])
  t.deepEqual(await change, {
    kind: 'changed',
    changes: [
      { name: 'detach.maxDays', from: 14, to: 30, needsRestart: false },
      { name: 'remote.search', from: [], to: ['10.0.0.1'], needsRestart: false },
    ],
  })
  t.deepEqual(writes.journal, [
    { type: 'configuration.changed', facts: { name: 'detach.maxDays', from: 14, to: 30, by: 'ana' } },
    { type: 'configuration.changed', facts: { name: 'remote.search', from: [], to: ['10.0.0.1'], by: 'ana' } },
  ])
  writes.holding = false
  cancel()
  await configuration.change({ 'detach.maxDays': 31, 'network.port': 1948 }, 'ana')
  t.is(heard.length, 3)
})

test('what is set survives a restart; null takes it back', async (t) => {
  const { configuration, writes } = make({ file: new Map([['detach.maxDays', 7]]) })
  await configuration.change({ 'detach.maxDays': 30 }, 'ana')
  const next = make({ file: new Map([['detach.maxDays', 7]]) }, writes).configuration
  t.is(next.get('detach.maxDays'), 30)
  const outcome = await next.change({ 'detach.maxDays': null, 'ui.remote': null }, 'ana')
  t.like(outcome, { kind: 'changed', changes: [{ name: 'detach.maxDays', from: 30, to: 7 }] })
  t.is(next.get('detach.maxDays'), 7)
  t.is(writes.records.size, 0)
})

test('a value that is set to what it is anyway is kept and journals nothing', async (t) => {
  const { configuration, writes } = make()
  t.deepEqual(await configuration.change({ 'detach.maxDays': 14 }, 'ana'), { kind: 'changed', changes: [] })
  t.is(configuration.describe().find((one) => one.name === 'detach.maxDays')?.source, 'administrator')
  t.is(writes.journal.length, 0)
  t.is(writes.records.size, 1)
})

test('changes in one batch build on each other', async (t) => {
  const { configuration, writes } = make()
  writes.holding = true
  const all = [30, 14, 14, 60].map((days) => configuration.change({ 'detach.maxDays': days }, 'ana'))
  writes.commit()
  const changes = (await Promise.all(all)).flatMap((one) => (one.kind === 'changed' ? one.changes : []))
  t.deepEqual(
    changes.map(({ from, to }) => [from, to]),
    [
      [14, 30],
      [30, 14],
      [14, 60],
    ],
  )
  t.is(configuration.get('detach.maxDays'), 60)
  t.is(writes.records.get('setting/detach.maxDays')?.value, 60)
})

test('R4: a change whose batch failed is not in force, and the next one starts from what is', async (t) => {
  const { configuration, writes } = make()
  await configuration.change({ 'detach.maxDays': 20 }, 'ana')
  const heard: number[] = []
  configuration.onChange('detach.maxDays', (days) => heard.push(days))
  writes.holding = true
  const change = configuration.change({ 'detach.maxDays': 30 }, 'ana')
  writes.fail()
  await t.throwsAsync(change, { message: /batch failed/ })
  t.is(configuration.get('detach.maxDays'), 20)
  t.deepEqual(heard, [])
  writes.holding = false
  t.like(await configuration.change({ 'detach.maxDays': 40 }, 'ana'), { changes: [{ from: 20, to: 40 }] })
})

test('R1: what an unknown outcome wrote after all is in force, and heard, when the records are read anew', async (t) => {
  const { configuration, writes } = make()
  const heard: number[] = []
  configuration.onChange('detach.maxDays', (days) => heard.push(days))
  writes.holding = true
  const change = configuration.change({ 'detach.maxDays': 30 }, 'ana')
  writes.records.set('setting/detach.maxDays', { kind: 'setting', key: 'detach.maxDays', value: 30 })
  writes.fail()
  await t.throwsAsync(change)
  t.is(configuration.get('detach.maxDays'), 30)
  t.deepEqual(heard, [30])
})

test('every wrong field is listed, and nothing of the change is taken', async (t) => {
  const { configuration, writes } = make()
  const outcome = await configuration.change(
    {
      'detach.maxDays': '30',
      'detach.maxDay': 1,
      'ui.rowsPerPage': 50,
      'agent.email': 'ana',
      'remote.search': ['', 'x'],
    },
    'ana',
  )
  t.like(outcome, { kind: 'refused', code: 'invalid_request' })
  t.deepEqual(outcome.kind === 'refused' && outcome.facts?.errors, [
    { field: 'detach.maxDays', detail: 'detach.maxDays is "30"; it wants a whole number from 1 to 9,999' },
    { field: 'detach.maxDay', detail: 'detach.maxDay is not a setting; detach.maxDays is' },
    { field: 'agent.email', detail: 'agent.email is "ana"; it wants an e-mail address, or nothing' },
    {
      field: 'remote.search',
      detail:
        'remote.search has "" as entry 1; it wants a list of addresses, host names, address ranges and https URLs',
    },
  ])
  t.is(configuration.get('ui.rowsPerPage'), 20)
  t.is(writes.records.size, 0)
  for (const patch of [null, 5, [], 'detach.maxDays'])
    t.like(await configuration.change(patch, 'ana'), { kind: 'refused' })
})

test('what the environment fixes can not be changed, and the refusal names it', async (t) => {
  const { configuration } = make({ environment: new Map([['network.port', 1948]]) })
  const outcome = await configuration.change({ 'network.port': 1949, 'ui.rowsPerPage': 50 }, 'ana')
  t.like(outcome, { kind: 'refused', code: 'read_only_setting', facts: { names: ['network.port'] } })
  t.is(configuration.get('ui.rowsPerPage'), 20)
})

test('what holds for a product is its own, else by its bare name, else what holds for all', async (t) => {
  const { configuration } = make({ file: new Map<string, number | boolean>([['detach.products.cad.maxDays', 30]]) })
  await configuration.change(
    {
      'detach.maxDays': 20,
      'detach.products.acme/cad.enabled': true,
      'products.acme/cad.mode': 'local',
      'products.acme/cam.manager': 'lic.example.com',
    },
    'ana',
  )
  t.deepEqual(configuration.forProduct('acme/cad'), {
    mode: 'local',
    manager: '',
    detachEnabled: true,
    reservedSeats: 0,
    reservedPercent: 0,
    maxDays: 30,
  })
  t.like(configuration.forProduct('acme/cam'), {
    mode: 'both',
    manager: 'lic.example.com',
    detachEnabled: false,
    maxDays: 20,
  })
  const described = configuration.describe().slice(settingNames.length)
  t.deepEqual(
    described.map(({ name, source }) => [name, source]),
    [
      ['detach.products.acme/cad.enabled', 'administrator'],
      ['detach.products.cad.maxDays', 'file'],
      ['products.acme/cad.mode', 'administrator'],
      ['products.acme/cam.manager', 'administrator'],
    ],
  )
  const back = await configuration.change({ 'detach.products.acme/cad.enabled': null }, 'ana')
  t.like(back, { changes: [{ from: true, to: false }] })
})

test('an e-mail address enters the journal so that it can be forgotten', async (t) => {
  const { configuration, writes } = make()
  await configuration.change({ 'agent.email': 'ana@example.com' }, 'ana')
  t.deepEqual(writes.journal, [
    {
      type: 'configuration.changed',
      facts: { name: 'agent.email', by: 'ana' },
      personal: { from: '', to: 'ana@example.com' },
    },
  ])
})

test('a stored value that this version does not allow is told, kept, and not in force', (t) => {
  const writes = new ManualWrites()
  for (const [key, value] of [
    ['detach.maxDays', 0],
    ['future.setting', true],
    ['ui.rowsPerPage', 50],
  ] as const)
    writes.records.set(`setting/${key}`, { kind: 'setting', key, value })
  const { configuration, troubles } = make({}, writes)
  t.is(configuration.get('detach.maxDays'), 14)
  t.is(configuration.get('ui.rowsPerPage'), 50)
  t.deepEqual(troubles, [
    'a stored setting is not used: detach.maxDays',
    'a stored setting is not used: future.setting',
  ])
  t.is(writes.records.size, 3)
})

test('a listener that throws keeps no other from hearing', async (t) => {
  const { configuration, troubles } = make()
  const heard: boolean[] = []
  configuration.onChange('ui.remote', () => {
    throw new Error('no')
  })
  configuration.onChange('ui.remote', (value) => heard.push(value))
  await configuration.change({ 'ui.remote': true }, 'ana')
  t.deepEqual(heard, [true])
  t.deepEqual(troubles, ['a changed setting could not be put in force: ui.remote'])
})

test('S6, S14: a wrong rule is named by line and column, each on its own, and nothing is saved', async (t) => {
  const { configuration, writes } = make()
  await configuration.change({ 'users.rules': ['deny=bo'] }, 'ana')
  const outcome = await configuration.change(
    { 'users.rules': ['# who', 'deny=group:x', 'allow=ana@10.0.0'], 'detach.maxDays': 3 },
    'ana',
  )
  if (outcome.kind !== 'refused') return t.fail('it was taken')
  t.is(outcome.code, 'invalid_request')
  const errors = outcome.facts?.errors as readonly { field: string; detail: string }[]
  t.deepEqual(
    errors.map(({ field, detail }) => [field, detail.slice(0, 31)]),
    [
      ['users.rules', 'users.rules, line 2, column 6: '],
      ['users.rules', 'users.rules, line 3, column 11:'],
    ],
  )
  t.deepEqual(configuration.get('users.rules'), ['deny=bo'])
  t.is(configuration.get('detach.maxDays'), 14)
  t.is(writes.journal.length, 1)
  t.is(configuration.validate({ 'serving.rules': ['deny=ana@ws-17'] }).kind, 'refused')
  t.is(configuration.validate({ 'serving.rules': ['deny=10.0.0.0/8 # the lab'] }).kind, 'valid')
})

test('stored rules that this version can not read stay what they are, for their owner to decide', (t) => {
  const writes = new ManualWrites()
  const rules = ['deny=tomorrow:x']
  writes.records.set('setting/users.rules', { kind: 'setting', key: 'users.rules', value: rules })
  const { configuration, troubles } = make({}, writes)
  t.deepEqual(configuration.get('users.rules'), rules)
  t.deepEqual(troubles, [])
})
