import test from 'ava'
import fc from 'fast-check'
import { createLog, type LogLevel } from '../agent/log.ts'

function capture(level?: LogLevel) {
  const text: string[] = []
  const log = createLog(level, { write: (line) => text.push(line) })
  return { log, text, lines: () => text.map((line) => JSON.parse(line)) }
}

test('one line per event with time, level and facts', (t) => {
  const { log, text, lines } = capture()
  log.info('listening', { port: 1947 })
  log.with({ request: 'r1' }).warn('slow', { ms: 12n, missing: undefined })
  t.true(text.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1))
  const [first, second] = lines()
  t.is(first.event, 'listening')
  t.is(first.level, 'info')
  t.is(first.port, 1947)
  t.true(Math.abs(Date.parse(first.time) - Date.now()) < 60_000)
  t.like(second, { event: 'slow', level: 'warn', request: 'r1', ms: '12' })
})

test('the level can be changed while the log is in use', (t) => {
  const { log, lines } = capture('warn')
  const child = log.with({ part: 'store' })
  child.info('not written')
  log.setLevel('debug')
  child.debug('written')
  log.setLevel('error')
  child.warn('not written')
  child.error('written too')
  t.deepEqual(
    lines().map((line) => line.event),
    ['written', 'written too'],
  )
})

test('secrets are hidden by their names at any depth', (t) => {
  const { log, text } = capture()
  log.info('request', {
    headers: {
      Authorization: 'Bearer hush',
      cookie: 'hush',
      'session-key': 'hush',
      'Session-Key': 'hush',
      accept: 'all',
    },
    body: {
      list: [{ newPassword: 'hush', token: 'hush', apiToken: 'hush', key: 'hush', privateKey: 'hush', pem: 'hush' }],
    },
    agentSecret: Buffer.from('hush'),
    raw: Buffer.from('hush'),
  })
  t.false(text.join().includes('hush'))
  t.true(text.join().includes('[hidden]'))
  t.true(text.join().includes('all'))
  t.true(text.join().includes('[4 bytes]'))
})

test('no text can forge a line or turn the reading direction', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
      const { log, lines } = capture()
      log.info(value, { [`f${name}`]: value, list: [value] })
      const [line, ...others] = lines()
      return (
        others.length === 0 && !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(Object.entries(line).join(''))
      )
    }),
  )
  const { log, lines } = capture()
  log.info('user\u202e\u001b[31m\r\nroot', { host: 'a\u0000b' })
  t.like(lines()[0], { event: 'user [31m root', host: 'a b' })
})

test('errors are written with code, frames and cause; long and deep values are cut', (t) => {
  const { log, lines } = capture()
  const error = Object.assign(new Error('line one\nline two', { cause: new Error('why') }), { code: 'EIO' })
  const loop: Record<string, unknown> = {}
  loop.loop = loop
  log.error('failed', { error, long: 'x'.repeat(5000), many: new Array(500).fill(1), loop, when: new Date(NaN) })
  const [line] = lines()
  t.like(line.error, { name: 'Error', message: 'line one line two', code: 'EIO', cause: { message: 'why' } })
  t.true(line.error.stack.length > 0)
  t.is(line.long.length, 2001)
  t.is(line.many.length, 100)
  t.is(line.when, null)
})
