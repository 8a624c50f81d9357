import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { writeConfigurationDocument } from '../../agent/config/document.ts'
import { readEnvironment } from '../../agent/config/environment.ts'
import { readConfigurationText } from '../../agent/config/file.ts'
import { loadConfiguration } from '../../agent/config/load.ts'
import { explainUnknown, findSetting, variableOf } from '../../agent/config/names.ts'
import { ConfigurationError } from '../../agent/config/problem.ts'
import { fileJsonSchema, fileSchema } from '../../agent/config/schema.ts'
import type { Setting } from '../../agent/config/setting.ts'
import { settingNames, settings } from '../../agent/config/settings.ts'
import { packagePaths } from '../../agent/paths.ts'

function problemsOf(text: string): string[] {
  return readConfigurationText(text, 'lh.yaml').problems.map(({ where, message }) => `${where}: ${message}`)
}

test('every default is a value that its own setting allows', (t) => {
  for (const name of settingNames) {
    const setting: Setting = settings[name]
    t.true(setting.schema.safeParse(setting.default).success, name)
    t.true(setting.help.endsWith('.') && setting.label !== '', name)
  }
})

test('every name has a variable of its own', (t) => {
  t.is(variableOf('detach.maxDays'), 'LEASEHOLD_DETACH_MAX_DAYS')
  t.is(variableOf('network.tls.certificate'), 'LEASEHOLD_NETWORK_TLS_CERTIFICATE')
  t.is(new Set(settingNames.map(variableOf)).size, settingNames.length)
  // a name that were the beginning of another could not be nested in the file
  for (const name of settingNames)
    t.false(
      settingNames.some((other) => other.startsWith(`${name}.`)),
      name,
    )
})

test('a file is read by the nesting of its names, settings of products included', (t) => {
  const { values, problems } = readConfigurationText(
    `
agent: { name: "ws-17" }
remote:
  search:
    - 10.0.0.255
    - "[fe80::1%eth0]"
detach:
  enabled: true
  products:
    acme/cad.v2: { maxDays: 30 }
detach.maxDays: 7
products:
  cad: { mode: network, manager: "lic.example.com:1947" }
mail:
network:
  port: 0
  tls:
    certificate:
`,
    'lh.yaml',
  )
  t.deepEqual(problems, [])
  t.deepEqual(
    [...values].sort(),
    [
      ['agent.name', 'ws-17'],
      ['detach.enabled', true],
      ['detach.maxDays', 7],
      ['detach.products.acme/cad.v2.maxDays', 30],
      ['network.port', 0],
      ['products.cad.manager', 'lic.example.com:1947'],
      ['products.cad.mode', 'network'],
      ['remote.search', ['10.0.0.255', '[fe80::1%eth0]']],
    ].sort(),
  )
  t.deepEqual(readConfigurationText('', 'lh.yaml'), { values: new Map(), problems: [] })
  t.deepEqual(readConfigurationText('# nothing\n', 'lh.yaml').problems, [])
})

test('each thing that is wrong in a file is named with line and column, what it is, and what is wanted', (t) => {
  t.deepEqual(
    problemsOf(`agent:
  name: 1947
detach:
  maxDays: 0
  maxDay: 3
  enabled: yes
detatch: { maxDays: 3 }
remote:
  search: [ 10.0.0.1, "two words" ]
ui:
  protection: everything
network:
  port: 70000
  tls: /etc/cert.pem
products:
  "Acme CAD": { mode: local }
ui.protection: all
`),
    [
      'lh.yaml:2:9: agent.name is 1947; it wants a name of at most 64 characters, or nothing',
      'lh.yaml:4:12: detach.maxDays is 0; it wants a whole number from 1 to 9,999',
      'lh.yaml:5:3: detach.maxDay is not a setting; detach.maxDays is',
      'lh.yaml:6:12: detach.enabled is "yes"; it wants true or false',
      'lh.yaml:7:12: detatch.maxDays is not a setting; detach.maxDays is',
      'lh.yaml:9:11: remote.search, line 2, "two words": one parameter per line is wanted, without spaces',
      'lh.yaml:11:15: ui.protection is "everything"; it wants one of none, configuration, all',
      'lh.yaml:13:9: network.port is 70000; it wants a whole number from 0 to 65,535',
      'lh.yaml:14:3: network.tls is not a setting',
      'lh.yaml:16:17: products.Acme CAD.mode names the product "Acme CAD"; it wants lower-case vendor/product, such as acme/cad',
    ],
  )
  t.deepEqual(problemsOf('detach.maxDays: 3\ndetach:\n  maxDays: 4\n'), ['lh.yaml:3:12: detach.maxDays is set twice'])
})

test('text that is not YAML, or not names and values, is refused with its place', (t) => {
  t.regex(problemsOf('a:\n  b: [\n').join(), /^lh\.yaml:3:1: /)
  t.regex(problemsOf('detach: { maxDays: 1 }\ndetach: { maxDays: 2 }\n').join(), /^lh\.yaml:2:1: .*unique/)
  t.regex(problemsOf('a: 1\n---\nb: 2\n').join(), /^lh\.yaml:\d:\d: .*document/)
  t.deepEqual(problemsOf('just words'), [
    'lh.yaml:1:1: the file wants names and values, such as "detach: { maxDays: 14 }"',
  ])
  t.regex(problemsOf('- a\n').join(), /wants names and values/)
  t.regex(problemsOf('x: &x { maxDays: 3 }\ndetach: *x\n').join('\n'), /lh\.yaml:2:9: detach refers to another place/)
  t.regex(problemsOf('? [a]\n: 1\n').join(), /^lh\.yaml:1:3: a name is wanted/)
  t.regex(problemsOf('detach: !!js/function x\n').join(), /^lh\.yaml:1:9: /)
  t.deepEqual(problemsOf(`# ${'x'.repeat(1_000_000)}`), ['lh.yaml: the file is larger than 1 MB'])
  t.regex(
    problemsOf('__proto__: { polluted: true }\nconstructor: 1\n').join('\n'),
    /__proto__\.polluted is not a setting/,
  )
})

test('the reader of files and the schema of files say yes and no to the same', (t) => {
  const value = fc.oneof(
    fc.boolean(),
    fc.integer({ min: -5, max: 100_000 }),
    fc.constantFrom(
      'none',
      'all',
      'approved',
      'names',
      'a@b.c',
      '/etc/x',
      'http://p:80',
      'http://p:99999',
      'x y',
      '',
      'both',
    ),
    fc.array(fc.constantFrom('10.0.0.1', 'x y', '', 'deny=all', 'deny=ana@x'), { maxLength: 3 }),
  )
  const name = fc.constantFrom(
    ...settingNames,
    'products.acme/cad.mode',
    'detach.products.cad.maxDays',
    'detach.maxDay',
  )
  let good = 0
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 3 }), (flat) => {
      const nested = nest(flat)
      const read = readConfigurationText(stringify(nested), 'lh.yaml').problems.length === 0
      if (read) good += 1
      return read === fileSchema.safeParse(nested).success
    }),
    { numRuns: 2000 },
  )
  t.true(good > 100)
})

function nest(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tree: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(flat)) {
    const path = name.split('.')
    let branch = tree
    for (const part of path.slice(0, -1)) {
      branch[part] ??= {}
      branch = branch[part] as Record<string, unknown>
    }
    branch[path.at(-1) ?? ''] = value
  }
  return tree
}

test('the environment is read by kind; lists have a line for each entry', (t) => {
  const { values, problems } = readEnvironment({
    PATH: '/bin',
    LEASEHOLD_DATA: '/srv',
    LEASEHOLD_CONFIG: '/etc/lh.yaml',
    LEASEHOLD_TOKEN: 'hush',
    LEASEHOLD_DETACH_MAX_DAYS: ' 30 ',
    LEASEHOLD_DETACH_ENABLED: 'On',
    LEASEHOLD_REMOTE_ALLOW: '0',
    LEASEHOLD_REMOTE_SEARCH: '10.0.0.1\r\n\n lic.example.com \n',
    LEASEHOLD_UI_PROTECTION: 'all',
    LEASEHOLD_AGENT_NAME: '',
    LEASEHOLD_SERVICE_HOST: '10.96.0.7',
    LEASEHOLD_PORT_1947_TCP_ADDR: '10.96.0.7',
  })
  t.deepEqual(problems, [])
  t.deepEqual(Object.fromEntries(values), {
    'detach.maxDays': 30,
    'detach.enabled': true,
    'remote.allow': false,
    'remote.search': ['10.0.0.1', 'lic.example.com'],
    'ui.protection': 'all',
  })
})

test('a wrong variable is named with the nearest that there is, or with what is wanted', (t) => {
  const { problems } = readEnvironment({
    LEASEHOLD_DETACH_MAXDAYS: '3',
    LEASEHOLD_DETACH_MAX_DAYS: '3.5',
    LEASEHOLD_REMOTE_ALLOW: 'maybe',
    LEASEHOLD_NETWORK_PORT: '1e3',
    LEASEHOLD_XYLOPHONE: '1',
  })
  t.deepEqual(
    problems.map(({ where, message }) => `${where}: ${message}`),
    [
      'LEASEHOLD_DETACH_MAXDAYS: LEASEHOLD_DETACH_MAXDAYS is not a setting; LEASEHOLD_DETACH_MAX_DAYS is',
      'LEASEHOLD_DETACH_MAX_DAYS: detach.maxDays is "3.5"; it wants a whole number from 1 to 9,999',
      'LEASEHOLD_REMOTE_ALLOW: remote.allow is "maybe"; it wants true or false',
      'LEASEHOLD_NETWORK_PORT: network.port is "1e3"; it wants a whole number from 0 to 65,535',
      'LEASEHOLD_XYLOPHONE: LEASEHOLD_XYLOPHONE is not a setting',
    ],
  )
})

test('the nearest name is suggested only when it is near', (t) => {
  t.is(explainUnknown('detach.maxdays'), 'detach.maxdays is not a setting; detach.maxDays is')
  t.is(explainUnknown('serving.handout'), 'serving.handout is not a setting; serving.handingOut is')
  t.is(explainUnknown('zebra'), 'zebra is not a setting')
  t.is(findSetting('products.__proto__.mode'), undefined)
  t.is(findSetting('products..mode'), undefined)
  t.is(findSetting('products.mode'), undefined)
  t.is(findSetting('toString'), undefined)
})

test('the start is stopped by a wrong file or environment, with everything that is wrong', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-'))
  const usual = path.join(folder, 'leasehold.yaml')
  t.is((await loadConfiguration({}, usual)).fileName, undefined)
  writeFileSync(usual, 'detach: { maxDays: 0 }\n')
  const both = await t.throwsAsync(loadConfiguration({ LEASEHOLD_NETWORK_PORT: 'x' }, usual), {
    instanceOf: ConfigurationError,
  })
  t.is(
    both?.message,
    `LEASEHOLD_NETWORK_PORT: network.port is "x"; it wants a whole number from 0 to 65,535\n${usual}:1:20: detach.maxDays is 0; it wants a whole number from 1 to 9,999`,
  )
  const other = path.join(folder, 'other.yaml')
  await t.throwsAsync(loadConfiguration({ LEASEHOLD_CONFIG: other }, usual), {
    message: `${other}: the file can not be read (ENOENT); LEASEHOLD_CONFIG names it`,
  })
  await t.throwsAsync(loadConfiguration({ LEASEHOLD_CONFIG: folder }, usual), { message: /EISDIR/ })
  writeFileSync(other, 'detach: { maxDays: 9 }\n')
  const fixed = await loadConfiguration({ LEASEHOLD_CONFIG: other, LEASEHOLD_NETWORK_PORT: '0' }, usual)
  t.deepEqual([...fixed.file], [['detach.maxDays', 9]])
  t.deepEqual([...fixed.environment], [['network.port', 0]])
  t.is(fixed.fileName, other)
})

interface SchemaNode {
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly default?: unknown
  readonly title?: string
}

test('the JSON Schema of the file has every name with its default and allows no other', (t) => {
  const schema: SchemaNode = fileJsonSchema()
  for (const name of settingNames) {
    let node = schema
    for (const part of name.split('.')) {
      t.is(node.additionalProperties, false, name)
      node = node.properties?.[part] ?? {}
    }
    t.deepEqual(node.default, settings[name].default, name)
    t.is(node.title, settings[name].label)
  }
})

test('docs/configuration.md is what the table of settings says', (t) => {
  const file = path.join(packagePaths.root, 'docs', 'configuration.md')
  const command = `node -e "import('./build/agent/config/document.js').then((m) => fs.writeFileSync('docs/configuration.md', m.writeConfigurationDocument()))"`
  t.is(readFileSync(file, 'utf8'), writeConfigurationDocument(), `write it anew: ${command}`)
  for (const [, example = ''] of writeConfigurationDocument().matchAll(/```yaml\n(.*?)```/gs)) {
    t.deepEqual(readConfigurationText(example, 'example').problems, [])
    t.true(fileSchema.safeParse(parse(example)).success)
  }
})
