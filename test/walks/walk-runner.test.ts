import { access } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import { followWalk, WalkFailure, type WalkResult } from '../helpers/walk.ts'
import { parseWalk } from '../helpers/walk-document.ts'
import { compareOutput } from '../helpers/walk-patterns.ts'
import { adaptDocument, makeWalkPlace } from '../helpers/walk-place.ts'

/** Markdown with its fences written as ''' so that they can stand in a template. */
function markdown(text: string): string {
  return text.replaceAll("'''", '```')
}

async function follow(text: string): Promise<WalkResult> {
  const place = await makeWalkPlace()
  try {
    return await followWalk('walk.md', markdown(text), place)
  } finally {
    await place.remove()
  }
}

async function fails(t: ExecutionContext, text: string, message: string): Promise<void> {
  const error = await t.throwsAsync(follow(text), { instanceOf: WalkFailure })
  t.is(error?.message, message)
}

test('a document is read into commands with their expected output, files and browser steps, with line numbers', (t) => {
  const blocks = parseWalk(
    markdown(`# Title
'''console within=5s timeout=9s
$ first
out
$ second \\
> more &
'''
'''json
{ "only": "shown" }
'''
'''text file=mail.txt
Dear Ana,
'''
'''browser
open /licenses

fill "Code" with file mail.txt
expect "2 of 2 …"
'''`),
  )
  t.deepEqual(blocks, [
    {
      kind: 'console',
      line: 2,
      within: 5000,
      timeout: 9000,
      commands: [
        { line: 3, text: 'first', background: false, expected: [{ line: 4, text: 'out' }] },
        { line: 5, text: 'second \\\nmore', background: true, expected: [] },
      ],
    },
    { kind: 'file', line: 11, name: 'mail.txt', text: 'Dear Ana,\n' },
    {
      kind: 'browser',
      line: 14,
      steps: [
        { kind: 'open', line: 15, source: 'open /licenses', address: '/licenses' },
        { kind: 'fill-file', line: 17, source: 'fill "Code" with file mail.txt', label: 'Code', file: 'mail.txt' },
        { kind: 'expect', line: 18, source: 'expect "2 of 2 …"', text: '2 of 2 …' },
      ],
    },
  ])
})

for (const [fault, text, message] of [
  ['a fence that is never closed', "\n'''console\n$ true", 'line 2: this fence is never closed'],
  ['output before a command', "'''console\nout\n'''", 'line 2: output before the first "$ " command'],
  ['an unknown option', "'''console soon\n'''", 'line 1: "soon" is not one of within=SECONDSs, timeout=SECONDSs'],
  ['a path as file name', "'''text file=../x\n'''", 'line 1: file= wants a plain file name, not "../x"'],
  [
    'an unknown step',
    "'''browser\nlook up\n'''",
    'line 2: "look up" is not a browser step; docs/walks/README.md lists them',
  ],
] as const) {
  test(`${fault} is named with its line`, (t) => {
    t.throws(() => parseWalk(markdown(text)), { message })
  })
}

test('an ellipsis matches anything in a line, and any number of lines on its own', (t) => {
  t.is(compareOutput(['a … c', '…', 'end'], 'a b b c\n1\n2\nend\n', {}).kind, 'same')
  t.is(compareOutput(['a', '…'], 'a\n', {}).kind, 'same')
  t.is(compareOutput(['a … c'], 'a b\n', {}).kind, 'different')
})

test('a name captures a value and then stands for it, in the same line and later', (t) => {
  const first = compareOutput(['{"id":"<id>","again":"<id>"}'], '{"id":"x.1","again":"x.1"}\n', {})
  t.deepEqual(first, { kind: 'same', captures: { id: 'x.1' } })
  t.is(compareOutput(['<id> and $id'], 'x.1 and x.1\n', { id: 'x.1' }).kind, 'same')
  t.is(compareOutput(['<id>'], 'x-1\n', { id: 'x.1' }).kind, 'different')
  t.is(compareOutput(['<id> <id>'], 'a b\n', {}).kind, 'different')
})

test('characters that mean something in a pattern are taken as they are', (t) => {
  t.is(compareOutput(['[1.5] (a|b)* ^$ \\d {2} $HOME'], '[1.5] (a|b)* ^$ \\d {2} $HOME\n', {}).kind, 'same')
  t.is(compareOutput(['1.5'], '1x5\n', {}).kind, 'different')
})

test('the difference keeps the lines that agree and marks the others', (t) => {
  t.deepEqual(compareOutput(['one', 'two', 'four'], 'one\nthree\nfour\n', {}), {
    kind: 'different',
    difference: '  one\n- two\n+ three\n  four',
  })
})

test('a walk keeps folder, variables, aliases and captured values from command to command', async (t) => {
  const result = await follow(`
'''text file=greeting.txt
hello
'''
'''console
$ mkdir inner && cd inner && kept=7
$ alias shout='tr a-z A-Z'
$ cat ../greeting.txt \\
>   | shout
HELLO
$ echo "$kept in $(basename "$PWD") of \${HOME##*/}"
<number> in inner of home
$ echo "$number" $((number + 1))
<number> 8
'''
'''text file=answer.txt
It was <number>.
'''
'''console
$ cat ../answer.txt
It was 7.
'''`)
  t.deepEqual(result, { commands: 6, steps: 0, captures: { number: '7' } })
})

test('a failed expectation is named with line, command and difference', async (t) => {
  await fails(
    t,
    "First words.\n'''console\n$ true\n$ printf 'a\\nb\\n'\na\nc\n'''",
    "walk.md:4: the output differs (- expected, + came)\n$ printf 'a\\nb\\n'\n  a\n- c\n+ b",
  )
})

test('a command that fails or hangs or ends the shell fails the walk', async (t) => {
  await fails(
    t,
    "'''console\n$ echo no; false\nno\n'''",
    'walk.md:2: the command failed with exit code 1\n$ echo no; false\nno\n',
  )
  await fails(
    t,
    "'''console timeout=1s\n$ echo begun; sleep 600\n'''",
    'walk.md:2: the command did not end in 1 s\n$ echo begun; sleep 600\nbegun\n',
  )
  await fails(t, "'''console\n$ exit 0\n'''", 'walk.md:2: the command ended the shell\n$ exit 0\n')
})

test('nothing of the first failure is hidden by what follows: the walk stops there', async (t) => {
  await fails(
    t,
    "'''console\n$ echo a\nb\n$ echo c\nd\n'''",
    'walk.md:2: the output differs (- expected, + came)\n$ echo a\n- b\n+ a',
  )
})

test('commands of a block with within are repeated until they give what is expected, but not for ever', async (t) => {
  await follow(`
'''console within=20s
$ echo x >>tries; grep -c x tries
3
'''`)
  await fails(
    t,
    "'''console within=1s\n$ echo a\nb\n'''",
    'walk.md:2: the output differs (- expected, + came), for 1 s\n$ echo a\n- b\n+ a',
  )
})

test('a command in the background is waited for until it says what is expected, and its pid is $!', async (t) => {
  const result = await follow(`
'''console
$ node -e "setTimeout(() => console.log('ready at 12'), 300); setInterval(() => {}, 1000)" &
ready at <place>
$ kill -9 $!; wait $!; echo "ended with $?"
ended with 137
$ echo $place
12
'''`)
  t.is(result.captures.place, '12')
})

test('a command in the background that ends without saying it fails the walk at once', async (t) => {
  await fails(
    t,
    "'''console\n$ sh -c 'echo other' &\nready\n'''",
    "walk.md:2: the command ended; the output differs (- expected, + came)\n$ sh -c 'echo other'\n- ready\n+ other",
  )
})

test('what a walk started has ended when it is over, also what ignores SIGTERM or failed half way', async (t) => {
  const place = await makeWalkPlace()
  const error = await t.throwsAsync(
    followWalk(
      'walk.md',
      markdown(`
'''console
$ sh -c 'trap "" TERM; echo $$ >pid; echo up; while :; do sleep 1; done' &
up
$ cat pid
<pid>
$ echo $pid; false
'''`),
      place,
    ),
  )
  await place.remove()
  const pid = Number(/\n(\d+)\n$/.exec(error?.message ?? '')?.[1])
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  await t.throwsAsync(access(place.folder))
})

test('a walk begins in a copy of the sources with a home and a network of its own', async (t) => {
  const place = await makeWalkPlace(process.cwd())
  try {
    const { captures } = await followWalk(
      'walk.md',
      markdown(`
'''console
$ ls package.json node_modules/ava/package.json; ls build .git 2>/dev/null | wc -l; echo $HOME
node_modules/ava/package.json
package.json
0
<home>
$ node -e "require('node:http').createServer((_, answer) => answer.end('mine\\n')).listen(1947, () => console.log('listening'))" &
listening
$ curl -s http://localhost:1947/
mine
'''`),
      place,
    )
    t.not(captures.home, process.env.HOME)
  } finally {
    await place.remove()
  }
})

test('where no namespace can be made, only the port is replaced', async (t) => {
  const place = await makeWalkPlace()
  await place.remove()
  t.is(adaptDocument('http://localhost:1947/ 19470', { ...place, port: 1947 }), 'http://localhost:1947/ 19470')
  t.is(adaptDocument('http://localhost:1947/ 19470', { ...place, port: 4321 }), 'http://localhost:4321/ 19470')
})

const server = `
'''text file=server.cjs
const page = '<title>Form</title><form method="post"><label>Code <textarea name="code"></textarea></label>'
  + '<label>File <input type="file" name="file"></label><label><input type="checkbox" name="sure">Sure</label>'
  + '<label>Kind <select name="kind"><option>one</option><option>two</option></select></label>'
  + '<button>Add</button></form><a href="/other">Other page</a><p hidden>unseen</p>'
require('node:http').createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  response.setHeader('content-type', 'text/html')
  response.end(request.method === 'POST' ? '<p>Got ' + new URLSearchParams(body) + ' number 42</p>' : request.url === '/other' ? 'Elsewhere' : page)
}).listen(1947, () => console.log('listening'))
'''
'''text file=code.txt
from a file
'''
'''console
$ node server.cjs &
listening
'''`

test('browser steps open, fill, choose, tick, select, press, follow and expect', async (t) => {
  const result = await follow(`${server}
'''browser
open /
expect "Other page"
expect no "unseen"
fill "Code" with file code.txt
choose code.txt for "File"
tick "Sure"
select "two" in "Kind"
press "Add"
expect "Got code=from+a+file…&sure=on&kind=two number <number>"
open /
follow "Other page"
expect "Elsewhere"
'''
'''console
$ echo $number
42
'''`)
  t.is(result.steps, 12)
})

test('browser steps use the keyboard alone, and a browser without scripts', async (t) => {
  const result = await follow(`${server}
'''text file=live.cjs
require('node:http').createServer((_, response) => {
  response.setHeader('content-type', 'text/html')
  response.end('<a href="/first">First</a><a href="/second" aria-label="The second">2</a><script>document.body.append("ran")</script>')
}).listen(1948, () => console.log('listening'))
'''
'''console
$ node live.cjs &
listening
'''
'''browser
open /
tab to "Other page"
key Enter
expect "Elsewhere"
open http://localhost:1948/
expect "ran"
scripts off
open http://localhost:1948/
expect "First"
expect no "ran"
tab to "The second"
key Enter
scripts on
open http://localhost:1948/
expect "ran"
'''`)
  t.is(result.steps, 15)
})

test('a browser step that finds no such thing fails with its line and what the page says', async (t) => {
  await fails(
    t,
    `${server}\n'''browser\nopen /other\nexpect "Nowhere"\n'''`,
    'walk.md:23: expect "Nowhere"\n"Nowhere" did not appear\nThe page at http://localhost:1947/other says:\nElsewhere',
  )
})
