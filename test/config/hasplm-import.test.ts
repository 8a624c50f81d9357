import test from 'ava'
import fc from 'fast-check'
import { Configuration } from '../../agent/config/configuration.ts'
import { leftOutReasons, readHasplm } from '../../agent/config/hasplm-import.ts'
import { importSettings } from '../../agent/config/import.ts'
import type { SettingValueKind } from '../../agent/config/kinds.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'

/** As a manager of 2016 wrote it, with what people change in it. */
const file = `\ufeff;*************************************************************************
;*
;* Sentinel License Manager configuration file
;*
;*************************************************************************

[SERVER]
name = licenses.example.com
idle_session_timeout_mins = 60
pagerefresh = 5
linesperpage = 50
ACCremote = 1
adminremote = 0
enablehaspc2v = 0
old_files_delete_days = 90

enabledetach = 1
reservedseats = 2
reservedpercent = 10
detachmaxdays = 30
commuter_delete_days = 7

requestlog = 1
loglocal = 0
rotatelogs = 0
access_log_maxsize = 0 ;kB
passacc = 1
password = 1A2B

accessfromremote = 1
accesstoremote = 1
bind_local_only = 0  ; 0=all adapters, 1=localhost only

proxyconnect = 2  ; 0=disabled, 1=WPAD, 2=manual
proxyhost = proxy.example.com
proxyport = 3128

[UPDATE]
update_host = www3.safenet-inc.com

[REMOTE]
broadcastsearch = 0
aggressive = 30
serversearchinterval = 30
serveraddr = 10.24.2.16
serveraddr = 10.24.3.255
serveraddr = fe80::1%eth0

[ACCESS]
allow = 10.24.0.0/16
deny = 10.24.9.1
deny = ALL

[USERS]
allow=ana@WS-17
deny=bo@all,product:12
deny=all@all

[VENDORS]
allow=41297

[EMS]
emsurl = http://localhost:8080

[LOGPARAMETERS]
text = {timestamp} {clientaddr}:{clientport}

[NEWER]
thing = 1
`

function configure(environment: Readonly<Record<string, SettingValueKind>> = {}) {
  const writes = new ManualWrites()
  const configuration = new Configuration({
    fixed: { environment: new Map(Object.entries(environment)), file: new Map(), fileName: 'leasehold.yaml' },
    writes,
    onTrouble: () => {},
  })
  return { configuration, writes }
}

test('a hasplm.ini is read into settings of ours', (t) => {
  t.deepEqual(readHasplm(file).values, {
    'agent.name': 'licenses.example.com',
    'session.idleMinutes': 60,
    'ui.refreshSeconds': 5,
    'ui.rowsPerPage': 50,
    'ui.remote': true,
    'detach.enabled': true,
    'detach.reservedSeats': 2,
    'detach.reservedPercent': 10,
    'detach.maxDays': 30,
    'log.requests': true,
    'ui.protection': 'all',
    'serving.access': 'rules',
    'remote.allow': true,
    'remote.broadcast': false,
    'remote.aggressive': true,
    'remote.search': ['10.24.2.16', '10.24.3.255', 'fe80::1%eth0'],
    'serving.rules': ['allow=10.24.0.0/16', 'deny=10.24.9.1', 'deny=all'],
    'users.rules': ['allow=ana@WS-17', 'deny=all@all'],
    'network.proxy.url': 'http://proxy.example.com:3128',
  })
})

test('rules keep the order in which they stand, and rules by numbers of the old system are left out', (t) => {
  const { values, leftOut } = readHasplm('[ACCESS]\ndeny=a\nallow=b\ndeny=c\nallow=\nfrob=x\n[USERS]\nallow=*,key:7')
  t.deepEqual(values['serving.rules'], ['deny=a', 'allow=b', 'deny=c'])
  t.deepEqual(
    leftOut.map(({ line, reason }) => [line, reason]),
    [
      [5, 'rule_unreadable'],
      [6, 'rule_unreadable'],
      [8, 'vendor_ids'],
    ],
  )
})

test('every entry of the file is either taken or left out with its line and a reason', (t) => {
  const { taken, leftOut } = readHasplm(file)
  const lines = file.split('\n').flatMap((line, place) => (/^[^;[\s\ufeff]/.test(line) ? [place + 1] : []))
  t.deepEqual(
    [...taken, ...leftOut].map(({ line }) => line).sort((a, b) => a - b),
    lines,
  )
  for (const { reason } of leftOut) t.truthy(leftOutReasons[reason])
  t.like(
    leftOut.find(({ written }) => written.startsWith('password')),
    { reason: 'password' },
  )
  t.like(
    leftOut.find(({ written }) => written === 'thing = 1'),
    { reason: 'not_known' },
  )
})

test('what let others in is not taken from a manager that listened on its own machine only', (t) => {
  const text = '[SERVER]\naccessfromremote = 1\nACCremote = 1\nbind_local_only = 1'
  const { values, taken, leftOut } = readHasplm(text)
  t.deepEqual(values, {})
  t.deepEqual(taken, [])
  t.deepEqual(
    leftOut.map(({ line, reason }) => [line, reason]),
    [
      [4, 'local_only'],
      [2, 'local_only'],
      [3, 'local_only'],
    ],
  )
  const closed = '[SERVER]\naccessfromremote = 0\nbind_local_only = 1'
  t.deepEqual(readHasplm(closed).values, { 'serving.access': 'none' })
})

test('a proxy is taken only where it was switched on by hand', (t) => {
  const proxy = (connect: number) => `[SERVER]\nproxyhost = p\nproxyconnect = ${connect}`
  t.deepEqual(readHasplm(proxy(2)).values, { 'network.proxy.url': 'http://p:3128' })
  t.is(readHasplm(proxy(1)).leftOut[0]?.reason, 'proxy_automatic')
  t.is(readHasplm(proxy(0)).leftOut[0]?.reason, 'proxy_off')
  t.is(readHasplm('[SERVER]\nproxyconnect=2\nproxyhost=a b@c').leftOut[0]?.reason, 'value_unknown')
})

test('whatever stands in a file, reading it ends with settings of the right kind and breaks nothing', (t) => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom('[SERVER]', '[REMOTE]', '[ACCESS]', '[__proto__]', '__proto__ = x', 'serveraddr', '[a.b]', '= ='),
    fc.tuple(fc.constantFrom('name', 'aggressive', 'serveraddr', 'allow', 'proxyhost', 'toString'), fc.string()),
  )
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((one) => (typeof one === 'string' ? one : one.join(' = '))).join('\n')
      const { values, taken } = readHasplm(text)
      for (const { setting } of taken) t.true(values[setting] !== undefined)
      t.is(Reflect.get({}, 'x'), undefined)
    }),
    { numRuns: 300 },
  )
})

test('an import says what it would change and changes nothing before it is applied', async (t) => {
  const { configuration, writes } = configure({ 'agent.name': 'fixed', 'ui.rowsPerPage': 50 })
  const planned = await importSettings(configuration, file, { apply: false, by: 'ana' })
  if (planned.kind !== 'planned') return t.fail(planned.kind)
  const changing = planned.settings.filter(({ changes }) => changes).map(({ setting }) => setting.name)
  t.true(changing.includes('remote.search'))
  t.false(changing.includes('remote.allow'), 'it is on already')
  t.false(changing.includes('ui.rowsPerPage'), 'fixed, and the same')
  t.like(
    planned.leftOut.find(({ line }) => line === 8),
    { reason: 'fixed', written: 'name = licenses.example.com' },
  )
  t.deepEqual(configuration.get('remote.search'), [])
  t.deepEqual(writes.journal, [])
})

test('an applied import is one change, with a journal entry for each setting', async (t) => {
  const { configuration, writes } = configure()
  const applied = await importSettings(configuration, '[REMOTE]\nserveraddr = a\nserveraddr = b c\naggressive = 1', {
    apply: true,
    by: 'ana',
  })
  if (applied.kind !== 'applied') return t.fail(applied.kind)
  t.deepEqual(configuration.get('remote.search'), ['a'], 'a wrong line does not take the others with it')
  t.true(configuration.get('remote.aggressive'))
  t.is(applied.changes.length, 2)
  t.is(writes.journal.length, 2)
  const [wrong] = applied.leftOut
  t.like(wrong, { line: 3, reason: 'value_refused' })
  t.regex(wrong?.detail ?? '', /without spaces/)
})

test('a text that is no such file is refused', async (t) => {
  const { configuration } = configure()
  for (const text of ['', 'Dear Ana', '[SERVER]', 'a = b'])
    t.like(await importSettings(configuration, text, { apply: true, by: 'x' }), { code: 'invalid_request' })
})
