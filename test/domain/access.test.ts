import { readFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import test from 'ava'
import fc from 'fast-check'
import { contains, isLoopback, parseAddress, readNetwork } from '../../agent/domain/access/address.ts'
import { decide } from '../../agent/domain/access/decide.ts'
import { checkRules, describeProblem, readRules } from '../../agent/domain/access/parse.ts'
import { fits, makePattern } from '../../agent/domain/access/pattern.ts'
import { permits } from '../../agent/domain/access/permit.ts'
import type { RuleList, Subject } from '../../agent/domain/access/rule.ts'
import { writeAddressRule, writeAgentRule, writeUserRule } from '../../agent/domain/access/write.ts'

const agent = `${'a'.repeat(42)}A`
const other = `${'b'.repeat(42)}A`

function rules(list: RuleList, text: string) {
  const read = readRules(list, text.split('\n'))
  if (read.problems.length > 0) throw new Error(read.problems.map(describeProblem).join('\n'))
  return read.rules
}

/** What comes out, with the line of the rule that decided. */
function ask(list: RuleList, text: string, subject: Subject): string {
  const { action, rule } = decide(rules(list, text), subject)
  return rule === undefined ? action : `${action} by ${rule.line}`
}

function problem(list: RuleList, line: string): string {
  return readRules(list, [line]).problems.map(describeProblem).join('; ')
}

// ---- machines

test('S6: machines are named by address, network, range, stars, host name, agent, localhost and all', (t) => {
  const fitting: readonly (readonly [string, Subject])[] = [
    ['192.168.1.17', { address: '192.168.1.17' }],
    ['192.168.1.17', { address: '::ffff:192.168.1.17' }],
    ['::ffff:192.168.1.17', { address: '192.168.1.17' }],
    ['::ffff:c0a8:111', { address: '192.168.1.17' }],
    ['192.168.1.0/24', { address: '192.168.1.255' }],
    ['192.168.1.77/24', { address: '192.168.1.3' }],
    ['::ffff:10.0.0.0/104', { address: '10.200.0.1' }],
    ['10.24.2.10-50', { address: '10.24.2.50' }],
    ['10.24.2.10-10.24.3.5', { address: '10.24.3.0' }],
    ['10.24.*', { address: '10.24.255.1' }],
    ['10.24.*.*', { address: '10.24.0.1' }],
    ['fe80::1', { address: 'fe80::1%eth0' }],
    ['[2001:db8::1]', { address: '2001:DB8:0:0::1' }],
    ['2001:db8::/32', { address: '2001:db8:ffff::' }],
    ['0.0.0.0/0', { address: '8.8.8.8' }],
    ['::/0', { address: '2001:db8::1' }],
    ['ws-17', { host: 'WS-17' }],
    ['ws-17', { host: 'ws-17.example.com.' }],
    ['WS-*', { host: 'ws-17.example.com' }],
    ['*.example.com', { host: 'ws-17.example.com' }],
    ['münchen-1', { host: 'MÜNCHEN-1' }],
    [`agent:${agent}`, { agent }],
    [agent, { agent }],
    ['localhost', { address: '127.0.0.53' }],
    ['LocalHost', { address: '::1' }],
    ['localhost', { address: '::ffff:127.0.0.1' }],
    ['ALL', {}],
    ['*', {}],
  ]
  for (const [machine, subject] of fitting) {
    t.is(ask('machines', `deny=${machine}`, subject), 'deny by 1', machine)
    t.is(ask('users', `deny=ana@${machine}`, { ...subject, account: 'ana' }), 'deny by 1', machine)
    t.is(ask('users', `deny=ana@${machine}`, { ...subject, account: 'bo' }), 'allow', machine)
  }
  const strange: readonly (readonly [string, Subject])[] = [
    ['192.168.1.17', { address: '192.168.1.18', host: '192.168.1.17' }],
    ['192.168.1.0/24', { address: '192.168.2.0' }],
    ['10.0.0.0/8', { address: '::10.0.0.1' }],
    ['::/0', { address: '10.0.0.1' }],
    ['0.0.0.0/0', { address: '010.0.0.1' }],
    ['0.0.0.0/0', { address: 'garbage' }],
    ['10.24.2.10-50', { address: '10.24.2.51' }],
    ['10.24.*', { address: '10.25.0.0' }],
    ['ws-17', { host: 'ws-170' }],
    ['ws-17.example.com', { host: 'ws-17' }],
    ['*.example.com', { host: 'example.com' }],
    [agent, { agent: other }],
    [agent, { agent: agent.toUpperCase() }],
    ['localhost', { address: '128.0.0.1', host: 'localhost' }],
    ['ws-17', {}],
  ]
  for (const [machine, subject] of strange) t.is(ask('machines', `deny=${machine}`, subject), 'allow', machine)
})

test('S6: from the top the first that fits decides, and what none fits is allowed', (t) => {
  const list = 'allow=10.0.0.5\n# the lab\ndeny=10.0.0.0/24 # but for one\nallow=ws-1\ndeny=ws-*'
  t.is(ask('machines', list, { address: '10.0.0.5', host: 'ws-2' }), 'allow by 1')
  t.is(ask('machines', list, { address: '10.0.0.6', host: 'ws-1' }), 'deny by 3')
  t.is(ask('machines', list, { address: '10.0.1.6', host: 'ws-1' }), 'allow by 4')
  t.is(ask('machines', list, { address: '10.0.1.6', host: 'ws-2' }), 'deny by 5')
  t.is(ask('machines', list, { address: '10.0.1.6', host: 'pc' }), 'allow')
  t.is(ask('machines', 'allow = localhost\ndeny = ALL', { address: '10.0.1.6' }), 'deny by 2')
  t.is(ask('machines', '', { address: '10.0.1.6' }), 'allow')
})

test('an address is read as Node reads it, and a network holds what Node’s own lists hold', (t) => {
  const four = fc.ipV4()
  const six = fc.ipV6()
  fc.assert(
    fc.property(fc.oneof(four, six), fc.oneof(four, six), fc.nat(128), (network, address, bits) => {
      const length = isIP(network) === 4 ? bits % 33 : bits
      const read = readNetwork(`${network}/${length}`)
      const parsed = parseAddress(address)
      if (read.kind !== 'network' || parsed === undefined) throw new Error(`${network}/${length} ${address}`)
      const list = new BlockList()
      list.addSubnet(network, length, isIP(network) === 4 ? 'ipv4' : 'ipv6')
      // Node takes IPv4 addresses for IPv6 ones too; rules keep them apart.
      if (read.network.family === parsed.family && isIP(network) === isIP(address))
        t.is(contains(read.network, parsed), list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'))
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
      t.is(parseAddress(text) !== undefined, isIP(bare) !== 0)
    }),
  )
  t.true([parseAddress('127.1.2.3'), parseAddress('::1')].every((one) => one !== undefined && isLoopback(one)))
  t.false([parseAddress('126.255.255.255'), parseAddress('::2')].some((one) => one === undefined || isLoopback(one)))
})

test('a pattern fits as a regular expression would, and no run of stars makes it slow', (t) => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 12 })
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 })
  fc.assert(
    fc.property(letters, name, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')}$`)
      t.is(fits(makePattern(pattern), text), expression.test(text))
    }),
    { numRuns: 2000 },
  )
  const started = process.hrtime.bigint()
  t.false(fits(makePattern('*a'.repeat(120)), `${'a'.repeat(200)}b`))
  t.true(process.hrtime.bigint() - started < 100_000_000n)
})

// ---- users

test('S14: users are meant by account or e-mail address, at a machine or anywhere, in any case', (t) => {
  const ana: Subject = { account: 'ACME\\Ana', email: 'Ana.Ruiz@example.com', host: 'ws-17', product: 'acme/cad' }
  for (const rule of [
    'deny=ana@ws-17',
    'deny=ANA@WS-*',
    'deny=ana',
    'deny=ana@all',
    'deny=an*',
    'deny=acme\\ana',
    'deny="acme\\ana"@ws-17',
    'deny=*@ws-17',
    'deny=@ws-17',
    'deny=all@ws-17',
    'deny=*',
    'deny=all@all',
    'deny=ana.ruiz@example.com',
    'deny=@example.com',
    'deny=*@EXAMPLE.com',
    'deny=@*.com',
    'deny="ana.ruiz@example.com"',
    'deny="ana.ruiz@example.com"@ws-17',
    'deny=ana@ws-17,product:acme/cad',
    'deny=product:acme/*',
    'deny=,product:cad',
    'deny = ana , product:cad',
    'deny=ana product:CAD',
  ])
    t.is(ask('users', rule, ana), 'deny by 1', rule)
  for (const rule of [
    'deny=ana@ws-18',
    'deny=an',
    'deny=other\\ana',
    'deny=ruiz@example.com',
    'deny=@example.org',
    'deny=@com',
    'deny=@example',
    'deny=@mail.example.com',
    'deny=ana.ruiz@ws-17',
    'deny=ana,product:acme/cam',
    'deny=ana,product:other/cad',
    'deny=ana,feature:rendering',
  ])
    t.is(ask('users', rule, ana), 'allow', rule)
  t.is(ask('users', 'deny=@example.com', { account: 'ana@example.com' }), 'deny by 1')
  t.is(ask('users', 'deny=ana,feature:rend*', { ...ana, feature: 'rendering' }), 'deny by 1')
  t.is(ask('users', 'deny=ana@*', { host: 'ws-17' }), 'allow')
})

test('S14: the first rule that fits decides for a user, and what none fits is allowed', (t) => {
  const list = 'allow=ana@ws-17,product:acme/cad\ndeny=ana\ndeny=*,product:acme/cam\nallow=*\ndeny=bo'
  t.is(ask('users', list, { account: 'ana', host: 'ws-17', product: 'acme/cad' }), 'allow by 1')
  t.is(ask('users', list, { account: 'ana', host: 'ws-18', product: 'acme/cad' }), 'deny by 2')
  t.is(ask('users', list, { account: 'bo', product: 'acme/cam' }), 'deny by 3')
  t.is(ask('users', list, { account: 'bo', product: 'acme/cad' }), 'allow by 4')
  t.is(ask('users', 'deny=bo', {}), 'allow')
})

test('S14: a rule about a license limits from which licenses the seat may come', (t) => {
  const first = 'license-1'
  const second = 'license-2'
  const limit = (text: string, subject: Subject = { account: 'ana' }) => {
    const { action, rule, licenses } = decide(rules('users', text), subject)
    return [action, rule?.line, licenses?.kind, ...(licenses?.licenses ?? [])]
  }
  t.deepEqual(limit(`deny=ana,license:${first}`), ['allow', undefined, 'except', first])
  t.deepEqual(limit(`deny=bo,license:${first}`), ['allow', undefined, undefined])
  t.deepEqual(limit(`allow=ana,license:${first}\ndeny=*`), ['allow', 1, 'only', first])
  t.deepEqual(limit(`allow=ana,license:${first}\ndeny=ana,license:${first}\ndeny=*`), ['allow', 1, 'only', first])
  t.deepEqual(limit(`deny=ana,license:${first}\ndeny=*`), ['deny', 2, undefined])
  t.deepEqual(limit(`deny=*,license:${first}\nallow=ana`), ['allow', 2, 'except', first])
  t.deepEqual(limit(`allow=ana\ndeny=*,license:${first}`), ['allow', 1, undefined])
  const known = { account: 'ana', license: first }
  t.deepEqual(limit(`deny=ana,license:${first}`, known), ['deny', 1, undefined])
  t.deepEqual(limit(`deny=ana,license:${second}`, known), ['allow', undefined, undefined])
})

test('what a limit permits is what the rules say of each license that is known', (t) => {
  const license = fc.constantFrom('license-1', 'license-2', 'license-3')
  const line = fc.tuple(fc.constantFrom('allow', 'deny'), fc.constantFrom('ana', 'bo', '*'), fc.option(license))
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), license, (lines, wanted) => {
      const list = rules(
        'users',
        lines.map(([action, who, one]) => `${action}=${who}${one === null ? '' : `,license:${one}`}`).join('\n'),
      )
      const open = decide(list, { account: 'ana' })
      const closed = decide(list, { account: 'ana', license: wanted })
      t.is(open.action === 'allow' && permits(open.licenses, wanted), closed.action === 'allow')
    }),
    { numRuns: 2000 },
  )
})

// ---- the grammar

test('what is wrong is named by line and column, with what is expected there', (t) => {
  const lines = ['# rules', '', 'allow=ana@10.0.0.300', 'deny=group:drafting', 'reserve 2 for ana']
  t.deepEqual(
    readRules('users', lines).problems.map(({ line, column, found }) => [line, column, found]),
    [
      [3, 11, '“10.0.0.300”'],
      [4, 6, '“group:”'],
      [5, 1, '“reserve”'],
    ],
  )
  t.is(
    problem('users', 'deny=group:drafting'),
    'line 1, column 6: there is “group:”, expected is user@machine, product:, feature: or license:',
  )
  for (const [list, line, expected] of [
    ['machines', 'permit=all', /column 1: .*expected is allow= or deny=$/],
    ['machines', 'allow all', /column 7: there is “all”, expected is = after allow$/],
    ['machines', 'allow', /column 6: there is the end of the line, expected is = after allow$/],
    ['machines', 'allow=  # nobody', /column 7: there is the end of the line, expected is a machine/],
    ['machines', 'allow=10.0.0', /column 7: .*an IPv4 or IPv6 address/],
    ['machines', 'allow=10.0.0.0/33', /a number from 0 to 32 after the “\/”/],
    ['machines', 'allow=::ffff:10.0.0.0/20', /a number from 96 to 128/],
    ['machines', 'allow=10.0.0.0/', /a number from 0 to 32/],
    ['machines', 'allow=300.0.0.0/8', /an address before the “\/”/],
    ['machines', 'allow=10.0.0.9-10.0.0.1', /from the lower address to the higher one/],
    ['machines', 'allow=10.0.0.9-::1', /an address of the same kind/],
    ['machines', 'allow=10.1.2.3.*', /at most four parts/],
    ['machines', 'allow=:::', /an IPv4 or IPv6 address/],
    ['machines', 'allow=agent:abc', /the whole id of an agent, 43 characters/],
    ['machines', 'allow=ana@ws-17', /column 7: there is “ana@ws-17”, expected is a machine/],
    ['machines', 'allow=ws_17,product:acme/cad', /column 13: .*belong into the user restrictions/],
    ['machines', 'allow=a b', /column 9: there is “b”, expected is the end of the line/],
    ['users', 'allow=ana,product:acme/cad/x', /column 19: .*vendor\/product/],
    ['users', 'allow=ana,product:', /column 19: there is nothing/],
    ['users', 'allow=ana,product:a,product:b', /column 21: .*product: only once/],
    ['users', 'allow=ana,license:lic*', /without stars/],
    ['users', 'allow=ana,', /column 11: there is the end of the line, expected is product:/],
    ['users', 'allow=ana,,product:a', /column 11: there is “,”/],
    ['users', 'allow=ana,vendor:acme', /column 11: there is “vendor:acme”/],
    ['users', 'allow=10.0.0.1', /everyone there is @10\.0\.0\.1$/],
    ['users', 'allow=ana@', /column 11: there is nothing/],
    ['users', 'allow="ana', /column 7: there is a quotation mark/],
    ['users', 'allow=a\u0007b', /column 8: there is a control character/],
  ] as const)
    t.regex(problem(list, line), expected, line)
})

test('comments, blanks and quotation marks are taken where people put them', (t) => {
  t.deepEqual(rules('machines', '\n   \n# deny=all\n\t#'), [])
  const [rule] = rules('machines', '  allow = ws-1   # the lab # of Ana')
  t.like(rule, { text: 'allow = ws-1', line: 1 })
  t.is(ask('users', 'deny="Ana Ruiz"@ws-17', { account: 'ana ruiz', host: 'ws-17' }), 'deny by 1')
  t.is(ask('users', 'deny=ana_x.com#ext#@ws-17', { account: 'ana_x.com#EXT#', host: 'ws-17' }), 'deny by 1')
  t.is(ask('users', 'deny="a,b=c:d"', { account: 'A,B=C:D' }), 'deny by 1')
})

test('no text makes the reader fail, and each line is a rule, empty, or one problem with a place in it', (t) => {
  const piece = fc.constantFrom(
    'allow',
    'deny',
    '=',
    ',',
    '@',
    '*',
    ':',
    '"',
    '#',
    ' ',
    '10.0.0.1',
    '/8',
    '-',
    'ana',
    'product:',
    'acme/cad',
    'agent:',
    agent,
    '::',
    'license:',
    '\t',
  )
  const line = fc.oneof(
    fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.constantFrom<RuleList>('machines', 'users'), line, (list, text) => {
      const { rules: found, problems } = readRules(list, [text])
      t.true(found.length + problems.length <= 1)
      for (const { column, expected } of problems) {
        t.true(column >= 1 && column <= text.length + 1)
        t.not(expected, '')
      }
      // What is written down of a rule means the same.
      for (const one of found) t.deepEqual(readRules(list, [one.text]).rules, [one])
    }),
    { numRuns: 3000 },
  )
})

test('a list with very many wrong lines is answered with the first of them', (t) => {
  t.is(checkRules('users')(Array<string>(1000).fill('?')).length, 20)
})

test('rules that are written for one click are read as meaning just that one', (t) => {
  t.is(writeAgentRule('allow', agent, 'ws-17\n'), `allow=agent:${agent} # ws-17`)
  t.is(writeAgentRule('deny', agent, ''), `deny=agent:${agent}`)
  t.is(writeAgentRule('deny', 'agent-1', 'ws-17'), undefined)
  t.is(ask('machines', writeAgentRule('deny', agent, 'a # b = "c') ?? '', { agent }), 'deny by 1')
  t.is(writeAddressRule('deny', '::ffff:10.0.0.1'), 'deny=10.0.0.1')
  t.is(writeAddressRule('deny', 'fe80::1%eth0'), 'deny=fe80::1')
  t.is(writeAddressRule('deny', 'ws-17'), undefined)
  t.is(writeUserRule('allow', { account: 'ana', email: 'ana@example.com' }), 'allow=ana@example.com')
  t.is(writeUserRule('allow', { account: 'ana', host: 'ws-17' }), 'allow=ana@ws-17')
  t.is(writeUserRule('allow', { account: 'Ana Ruiz' }), 'allow="Ana Ruiz"@all')
  for (const account of ['all', 'a*', 'a"b', '']) t.is(writeUserRule('deny', { account }), undefined)
  t.is(writeUserRule('deny', { account: 'ana', host: 'no name' }), undefined)
  const name = fc.oneof(
    fc.string(),
    fc.emailAddress(),
    fc.string({ unit: fc.constantFrom('a', 'B', ' ', '@', ':', '#', ',', '=', '\\', '.', '1', '-') }),
  )
  fc.assert(
    fc.property(name, fc.option(fc.domain()), (account, domain) => {
      const subject: Subject = { account, ...(domain === null ? {} : { host: domain }) }
      const rule = writeUserRule('deny', subject)
      if (rule === undefined) return
      t.is(ask('users', rule, subject), 'deny by 1', rule)
      t.is(ask('users', rule, { ...subject, account: `${account}x` }), 'allow', rule)
      if (domain !== null) t.is(ask('users', rule, { account, host: 'elsewhere.example' }), 'allow', rule)
    }),
    { numRuns: 2000 },
  )
})

test('deciding by a thousand rules costs a small part of reading them once', (t) => {
  const lines = Array.from({ length: 1000 }, (_, at) =>
    at % 2 === 0 ? `deny=user${at}@10.${at % 200}.0.0/16,product:acme/*` : `deny=*ana${at}@ws-${at}`,
  ).join('\n')
  const list = rules('users', lines)
  const subject = { account: 'ana', email: 'ana@example.com', host: 'ws', address: '10.201.0.1', product: 'acme/cad' }
  const fastest = (task: () => void): number =>
    Math.min(
      ...Array.from({ length: 20 }, () => {
        const started = process.hrtime.bigint()
        task()
        return Number(process.hrtime.bigint() - started)
      }),
    )
  const reading = fastest(() => void rules('users', lines))
  const deciding = fastest(() => void decide(list, subject))
  t.log(`${(deciding / reading).toFixed(2)} of reading`)
  t.true(deciding < reading / 2)
})

test('the examples of docs/access-rules.md are rules', (t) => {
  const text = readFileSync('docs/access-rules.md', 'utf8')
  const blocks = [...text.matchAll(/```rules (machines|users)\n(.*?)```/gs)]
  t.true(blocks.length >= 2)
  for (const [, list, block = ''] of blocks) t.notThrows(() => rules(list as RuleList, block))
})
