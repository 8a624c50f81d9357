import { createHash } from 'node:crypto'
import test from 'ava'
import { Administrator, isSameSecret } from '../../agent/people/administrator.ts'
import { type Passwords, ScryptPasswords } from '../../agent/people/password.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { Writer } from '../../agent/writer.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'

const hour = 60 * 60 * 1000
const minute = 60 * 1000
const here = '127.0.0.1'

/** As good as scrypt for what is tested here, and at once. */
const quick: Passwords = {
  hash: async (password) => ({ kind: 'hashed', text: `hash of ${password}` }),
  verify: async (password, text) => ({ kind: 'verified', right: text === `hash of ${password}` }),
}

interface Set {
  readonly administrator: Administrator
  readonly clock: ManualClock
  readonly store: MemoryStore
  restart(): Promise<Set>
}

async function start(clock = new ManualClock(), store = new MemoryStore(), passwords = quick): Promise<Set> {
  const ballast = { free: async () => undefined, restore: async () => true }
  const writer = new Writer({ store, ballast, clock, timers: clock, instance: 'agent-1', salt: () => 'salt' })
  let count = 0
  const random = (bytes: number) =>
    createHash('sha512').update(`${store.constructor.name} ${clock.wall()} ${++count}`).digest().subarray(0, bytes)
  const administrator = new Administrator({ writes: writer, clock, passwords, random })
  writer.register(administrator)
  await writer.open()
  return {
    administrator,
    clock,
    store,
    async restart() {
      await writer.close()
      return start(clock, store, passwords)
    },
  }
}

async function startWithPassword(): Promise<Set & { readonly token: string }> {
  const set = await start()
  const changed = await set.administrator.changePassword({ password: 'first password', reset: false }, here)
  if (changed.kind !== 'changed') throw new Error(changed.code)
  return { ...set, token: changed.token }
}

async function signIn(
  administrator: Administrator,
  password: string,
  address = here,
  before?: string,
): Promise<string> {
  const outcome = await administrator.signIn(password, address, before)
  return outcome.kind === 'signed-in' ? outcome.token : outcome.code
}

test('the first password needs no other, and who sets it is signed in', async (t) => {
  const { administrator, token, restart } = await startWithPassword()
  t.true(administrator.hasPassword())
  t.true(administrator.isSignedIn(token))
  t.false(administrator.isSignedIn('x'.repeat(43)))
  const again = await restart()
  t.true(again.administrator.hasPassword())
  t.true(again.administrator.isSignedIn(token))
})

test('without a password there is nothing to sign in with', async (t) => {
  const { administrator } = await start()
  t.is(await signIn(administrator, ''), 'password_needed')
})

test('neither password nor token is in the store', async (t) => {
  const { administrator, token, store } = await startWithPassword()
  const other = await signIn(administrator, 'first password')
  const texts: string[] = []
  for await (const record of store.load()) texts.push(JSON.stringify(record))
  for await (const entry of store.journal({ limit: 100, order: 'oldest-first' })) texts.push(JSON.stringify(entry))
  t.is(texts.filter((text) => text.includes('"sign-in"')).length, 2)
  for (const secret of [token, other]) t.false(texts.some((text) => text.includes(secret)))
  const scrypt = new ScryptPasswords()
  const hashed = await scrypt.hash('first password')
  t.false(JSON.stringify(hashed).includes('first'))
})

test('a change needs the current password, ends all sign-ins, and signs in anew', async (t) => {
  const { administrator, token } = await startWithPassword()
  const other = await signIn(administrator, 'first password')
  const wrong = await administrator.changePassword(
    { current: 'guess', password: 'second password', reset: false },
    here,
  )
  t.is(wrong.kind === 'refused' && wrong.code, 'wrong_password')
  const none = await administrator.changePassword({ password: 'second password', reset: false }, here)
  t.is(none.kind === 'refused' && none.code, 'wrong_password')
  t.true(administrator.isSignedIn(token))
  const changed = await administrator.changePassword(
    { current: 'first password', password: 'second password', reset: false },
    here,
  )
  if (changed.kind !== 'changed') return t.fail(changed.code)
  for (const old of [token, other]) t.false(administrator.isSignedIn(old))
  t.true(administrator.isSignedIn(changed.token))
  t.is(await signIn(administrator, 'first password'), 'wrong_password')
  t.is((await signIn(administrator, 'second password')).length, 43)
  return undefined
})

test('a reset needs no current password', async (t) => {
  const { administrator, token } = await startWithPassword()
  t.is((await administrator.changePassword({ password: 'second password', reset: true }, here)).kind, 'changed')
  t.false(administrator.isSignedIn(token))
  t.is((await signIn(administrator, 'second password')).length, 43)
})

test('a sign-in that is decided together with a change of the password is void', async (t) => {
  const { administrator } = await startWithPassword()
  const [changed, token] = await Promise.all([
    administrator.changePassword({ current: 'first password', password: 'second password', reset: false }, here),
    signIn(administrator, 'first password'),
  ])
  t.is(changed.kind, 'changed')
  t.false(administrator.isSignedIn(token))
})

test('a new sign-in takes the place of the one before it', async (t) => {
  const { administrator, token } = await startWithPassword()
  const next = await signIn(administrator, 'first password', here, token)
  t.not(next, token)
  t.false(administrator.isSignedIn(token))
  t.true(administrator.isSignedIn(next))
  await administrator.signOut(next)
  t.false(administrator.isSignedIn(next))
  await administrator.signOut(next)
  await administrator.signOut('never known')
})

test('a sign-in ends an hour after its last use, and twelve hours after it began', async (t) => {
  const { administrator, token, clock } = await startWithPassword()
  const idle = await signIn(administrator, 'first password')
  for (let passed = 0; passed < 12 * hour - 30 * minute; passed += 30 * minute) {
    clock.advance(30 * minute)
    if (passed < 12 * hour - 60 * minute) t.true(administrator.isSignedIn(token), String(passed / minute))
  }
  t.false(administrator.isSignedIn(idle))
  clock.advance(30 * minute)
  t.false(administrator.isSignedIn(token))
})

test('sleep counts for a sign-in, and a clock set back lengthens nothing', async (t) => {
  const slept = await startWithPassword()
  slept.clock.sleepMachine(hour + 1)
  t.false(slept.administrator.isSignedIn(slept.token))
  const back = await startWithPassword()
  back.clock.setWall(back.clock.wall() - 30 * 24 * hour)
  back.clock.advance(hour)
  t.false(back.administrator.isSignedIn(back.token))
})

test('a restart revives no sign-in that was over, and lengthens none', async (t) => {
  const set = await startWithPassword()
  set.clock.advance(50 * minute)
  const other = await signIn(set.administrator, 'first password')
  const first = await set.restart()
  set.clock.advance(10 * minute)
  t.false(first.administrator.isSignedIn(set.token))
  t.true(first.administrator.isSignedIn(other))
  set.clock.setWall(set.clock.wall() - 10 * 24 * hour)
  const second = await first.restart()
  set.clock.advance(hour)
  t.false(second.administrator.isSignedIn(other))
})

test('use is stored now and then, so that a restart ends nothing early', async (t) => {
  const set = await startWithPassword()
  set.clock.advance(40 * minute)
  t.true(set.administrator.isSignedIn(set.token))
  await set.administrator.signOut('something else')
  await signIn(set.administrator, 'first password')
  const again = await set.restart()
  set.clock.advance(40 * minute)
  t.true(again.administrator.isSignedIn(set.token))
})

test('while the records are loaded anew, the password and the sign-ins stay in force', async (t) => {
  const { administrator, token } = await startWithPassword()
  administrator.reset()
  t.true(administrator.hasPassword())
  t.true(administrator.isSignedIn(token))
  administrator.ready()
  t.false(administrator.hasPassword())
  t.false(administrator.isSignedIn(token))
})

test('after ten failures an address waits, others do not, and success is not counted', async (t) => {
  const { administrator, clock } = await startWithPassword()
  for (let count = 0; count < 20; count++) t.is((await signIn(administrator, 'first password', '192.0.2.1')).length, 43)
  for (let count = 0; count < 10; count++) {
    t.is(await signIn(administrator, 'guess', '192.0.2.1'), 'wrong_password')
    clock.advance(minute)
  }
  const refused = await administrator.signIn('first password', '192.0.2.1')
  if (refused.kind !== 'refused') return t.fail()
  t.is(refused.code, 'too_many_requests')
  t.is(refused.facts?.retryIn, 5 * 60)
  t.is((await signIn(administrator, 'first password', '192.0.2.2')).length, 43)
  const change = await administrator.changePassword({ current: 'guess', password: 'x', reset: false }, '192.0.2.1')
  t.is(change.kind === 'refused' && change.code, 'too_many_requests')
  clock.advance(5 * minute)
  t.is((await signIn(administrator, 'first password', '192.0.2.1')).length, 43)
  return undefined
})

test('a hundred guesses at once are no more than ten', async (t) => {
  const { administrator } = await startWithPassword()
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => signIn(administrator, 'guess')))
  t.is(outcomes.filter((code) => code === 'wrong_password').length, 10)
  t.is(outcomes.filter((code) => code === 'too_many_requests').length, 90)
})

test('all addresses of loopback count as one, and so do those of one IPv6 network', async (t) => {
  const { administrator } = await startWithPassword()
  for (let count = 1; count <= 10; count++) await signIn(administrator, 'guess', `127.0.0.${count}`)
  t.is(await signIn(administrator, 'first password', '::1'), 'too_many_requests')
  for (let count = 1; count <= 10; count++) await signIn(administrator, 'guess', `2001:db8::${count}`)
  t.is(await signIn(administrator, 'first password', '2001:db8:0:0:1:2:3:4'), 'too_many_requests')
  t.is((await signIn(administrator, 'first password', '2001:db8:0:1::1')).length, 43)
})

test('scrypt hashes say how they were made, differ for the same password, and are checked', async (t) => {
  const passwords = new ScryptPasswords()
  const [one, two] = await Promise.all([passwords.hash('päss word'), passwords.hash('päss word')])
  if (one.kind !== 'hashed' || two.kind !== 'hashed') return t.fail()
  t.regex(one.text, /^\$scrypt\$ln=15,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/)
  t.not(one.text, two.text)
  t.deepEqual(await passwords.verify('päss word', one.text), { kind: 'verified', right: true })
  t.deepEqual(await passwords.verify('pa\u0308ss word', one.text), { kind: 'verified', right: true })
  t.deepEqual(await passwords.verify('pass word', one.text), { kind: 'verified', right: false })
  await t.throwsAsync(passwords.verify('x', 'plain'), { message: /unknown form/ })
  return undefined
})

test('no more passwords are hashed than two at a time, and a long queue sends the rest away', async (t) => {
  const running: (() => void)[] = []
  let most = 0
  const passwords = new ScryptPasswords(
    (_password, _salt, length) =>
      new Promise((resolve) => {
        running.push(() => resolve(Buffer.alloc(length)))
        most = Math.max(most, running.length)
      }),
  )
  const outcomes = Array.from({ length: 30 }, () => passwords.hash('x'))
  for (let count = 0; count < 18; count++) (await waitFor('the next one', () => running.shift()))()
  const kinds = (await Promise.all(outcomes)).map(({ kind }) => kind)
  t.is(kinds.filter((kind) => kind === 'hashed').length, 18)
  t.is(kinds.filter((kind) => kind === 'refused').length, 12)
  t.is(most, 2)
  t.is(running.length, 0)
})

test('a password that could not be hashed leaves its place to the next', async (t) => {
  let broken = true
  const passwords = new ScryptPasswords(async (_password, _salt, length) => {
    if (broken) throw new Error('no memory')
    return Buffer.alloc(length)
  })
  const failing = Array.from({ length: 4 }, () => passwords.hash('x'))
  for (const outcome of failing) await t.throwsAsync(outcome)
  broken = false
  t.is((await passwords.hash('x')).kind, 'hashed')
})

test('a change that meets a changed password in between is refused', async (t) => {
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow: Passwords = {
    ...quick,
    hash: async (password) => {
      if (password === 'slow password') await gate
      return quick.hash(password)
    },
  }
  const { administrator } = await start(undefined, undefined, slow)
  await administrator.changePassword({ password: 'first password', reset: false }, here)
  const current = { current: 'first password', reset: false }
  const late = administrator.changePassword({ ...current, password: 'slow password' }, here)
  t.is((await administrator.changePassword({ ...current, password: 'second password' }, here)).kind, 'changed')
  release()
  const outcome = await late
  t.is(outcome.kind === 'refused' && outcome.code, 'wrong_password')
  t.is((await signIn(administrator, 'second password')).length, 43)
})

test('secrets are compared whole', (t) => {
  t.true(isSameSecret('a', 'a'))
  for (const other of ['', 'b', 'ab', 'a\0']) t.false(isSameSecret(other, 'a'))
})
