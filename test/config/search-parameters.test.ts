import test from 'ava'
import fc from 'fast-check'
import {
  addressesOf,
  findWrongLines,
  parseSearchParameter,
  parseSearchParameters,
} from '../../agent/config/search-parameters.ts'
import { addressNumber, addressOf, showPlace } from '../../agent/domain/place.ts'

const id = 'q2J0rLx8cV5nT1yWb7eZ3Aq2J0rLx8cV5nT1yWb7eZ0'

/** What a line means, in short: the place, or the range from its first to its last address. */
function read(line: string): string {
  const parsed = parseSearchParameter(line)
  if (parsed.kind === 'wrong') return `wrong: ${parsed.reason}`
  if (parsed.kind === 'place') return `${parsed.id === undefined ? '' : `${parsed.id}@`}${showPlace(parsed.place)}`
  const { first, count, port } = parsed
  return `${addressOf(first)} to ${addressOf(first + count - 1)} port ${port}`
}

test('every kind of search parameter is read', (t) => {
  const table = [
    ['10.0.0.5', '10.0.0.5:1947'],
    [' 10.0.0.5:1948 ', '10.0.0.5:1948'],
    ['::1', '[::1]:1947'],
    ['2001:DB8:0:0:0:0:0:1', '[2001:db8::1]:1947'],
    ['[2001:db8::1]:8443', '[2001:db8::1]:8443'],
    ['fe80::1%eth0', '[fe80::1%eth0]:1947'],
    ['[fe80::1%eth0.5]:1948', '[fe80::1%eth0.5]:1948'],
    ['License.Example.com', 'license.example.com:1947'],
    ['license.example.com.:1948', 'license.example.com:1948'],
    ['ws_17', 'ws_17:1947'],
    ['müller.example', 'xn--mller-kva.example:1947'],
    ['10.1.2.255', '10.1.2.0 to 10.1.2.255 port 1947'],
    ['10.1.2.255:1948', '10.1.2.0 to 10.1.2.255 port 1948'],
    ['10.1.2.77/24', '10.1.2.0 to 10.1.2.255 port 1947'],
    ['172.16.0.0/16', '172.16.0.0 to 172.16.255.255 port 1947'],
    ['10.0.0.1/32', '10.0.0.1 to 10.0.0.1 port 1947'],
    ['https://license.example.com', 'license.example.com:443'],
    ['HTTPS://license.example.com:1947/', 'license.example.com:1947'],
    ['https://[2001:db8::1]:1947', '[2001:db8::1]:1947'],
    [`${id}@license.example.com`, `${id}@license.example.com:1947`],
    [`${id}@[2001:db8::1]:1948`, `${id}@[2001:db8::1]:1948`],
  ] as const
  for (const [line, meaning] of table) t.is(read(line), meaning)
})

test('what is no search parameter is refused with a reason of its own', (t) => {
  const table: readonly (readonly [string, RegExp])[] = [
    ['10.0.0.300', /four numbers from 0 to 255/],
    ['10.0.0', /four numbers/],
    ['10.0.0.05', /without zeros/],
    ['0.0.0.0', /no agent has this address/],
    ['224.0.0.251', /no agent has this address/],
    ['255.255.255.255', /no agent has/],
    ['::', /no agent has/],
    ['ff02::fb', /no agent has/],
    ['fe80::1', /needs its network adapter/],
    ['2001:db8::1%eth0', /only link-local/],
    ['fe80::1%', /network adapter/],
    ['[10.0.0.5]', /no IPv6 address/],
    ['1:2:3', /no IPv6 address/],
    ['host:0', /port is a number/],
    ['host:65536', /port is a number/],
    ['host:', /port is a number/],
    [':1947', /is missing/],
    ['-host', /no host name/],
    ['host..example', /no host name/],
    ['host.0x7f', /no host name/],
    ['0x7f000001', /no host name/],
    ['0xe0.1', /no host name/],
    ['two hosts', /without spaces/],
    ['a\u0007b', /without spaces/],
    ['http://license.example.com', /only https/],
    ['file:///etc/passwd', /only https/],
    ['https://user:secret@host', /no user and no password/],
    ['https://host/path', /nothing to follow/],
    ['https://host/?a', /nothing to follow/],
    ['https://10.0.0.300', /no URL|four numbers/],
    ['10.0.0.0/15', /at most a \/16, which is 65536/],
    ['10.0.0.0/33', /written as in/],
    ['10.0.0.0/24/1', /written as in/],
    ['2001:db8::/64', /IPv6 addresses are too large/],
    ['224.0.0.0/24', /no agent has an address of this range/],
    ['someone@license.example.com', /id of an agent/],
    [`${id}@`, /is missing/],
    ['x'.repeat(256), /longer than 255/],
  ]
  for (const [line, reason] of table) t.regex(read(line), reason, line)
})

test('each wrong line is named by its number, and empty lines count but say nothing', (t) => {
  const lines = ['10.0.0.5', '', '10.0.0.300', 'license.example.com', ' http://a ']
  t.deepEqual(
    findWrongLines(lines).map(({ line, text }) => [line, text]),
    [
      [3, '10.0.0.300'],
      [5, 'http://a'],
    ],
  )
  const good = parseSearchParameters(['10.0.0.5', '', '10.0.0.0/30'])
  t.is(good.kind === 'good' && good.parameters.length, 2)
})

test('ranges that together are too many addresses are refused at the line that is too much', (t) => {
  const ranges = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16', '10.4.0.0/16']
  t.deepEqual(findWrongLines(ranges), [])
  t.like(findWrongLines([...ranges, '10.5.0.1/32'])[0], { line: 5, text: '10.5.0.1/32' })
})

test('a range gives each of its addresses once, in order', (t) => {
  const range = parseSearchParameter('10.0.255.254/30')
  t.true(range.kind === 'range')
  if (range.kind === 'range')
    t.deepEqual(
      [...addressesOf(range)].map(showPlace),
      [252, 253, 254, 255].map((end) => `10.0.255.${end}:1947`),
    )
})

test('whatever is typed is read or refused, and what is read means the same when it is read again', (t) => {
  const pieces = fc.array(
    fc.constantFrom('10', '.', ':', '[', ']', '/', '@', '%', 'a', 'fe80', '255', 'https://', '-', '1947'),
    {
      maxLength: 12,
    },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        pieces.map((parts) => parts.join('')),
        fc.string({ unit: 'binary' }),
      ),
      (line) => {
        const parsed = parseSearchParameter(line)
        if (parsed.kind === 'wrong') t.true(parsed.reason.length > 0)
        if (parsed.kind === 'place') {
          const again = parseSearchParameter(showPlace(parsed.place))
          t.deepEqual(again.kind === 'place' && again.place, parsed.place)
        }
      },
    ),
    { numRuns: 2000 },
  )
  fc.assert(fc.property(fc.ipV4(), (address) => addressOf(addressNumber(address) ?? -1) === address))
})
