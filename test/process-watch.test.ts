import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import { linuxProcesses, ProcessWatch, systemProcesses, type WatchedSession } from '../agent/process-watch.ts'
import { stand } from './broker/stand.ts'
import { supply } from './domain/world.ts'
import { ManualClock } from './helpers/manual-clock.ts'
import { testNeeding } from './helpers/needing.ts'
import { waitFor } from './helpers/wait-for.ts'

const onLinux = testNeeding(process.platform === 'linux', 'start times of processes are read on Linux')

/** A watch over a table of processes that tests change. */
function watch(sessions: WatchedSession[], starts: Map<number, string>) {
  const clock = new ManualClock()
  const gone: string[] = []
  const looked: number[] = []
  const state = { boot: 'boot-1' }
  const watching = new ProcessWatch({
    table: {
      startOf: (pid) => {
        looked.push(pid)
        return starts.get(pid)
      },
    },
    timers: clock,
    boot: () => state.boot,
    sessions: () => sessions,
    gone: (id) => gone.push(id),
  })
  watching.start()
  return { clock, gone, looked, state, watching }
}

function session(id: string, pid: number, startedAt = `start-${pid}`): WatchedSession {
  return { id, process: { boot: 'boot-1', id: pid, startedAt } }
}

test('R29: a process that is gone at two looks, 2 s apart, ends its session, and no other', (t) => {
  const starts = new Map([
    [1, 'start-1'],
    [2, 'start-2'],
  ])
  const { clock, gone } = watch([session('a', 1), session('b', 2)], starts)
  clock.advance(60_000)
  t.deepEqual(gone, [])
  starts.delete(1)
  clock.advance(2_000)
  t.deepEqual(gone, [])
  clock.advance(2_000)
  t.deepEqual(gone, ['a'])
})

test('R29: a process that is not seen once and is there again has not gone', (t) => {
  const starts = new Map([[1, 'start-1']])
  const { clock, gone } = watch([session('a', 1)], starts)
  for (let round = 0; round < 5; round++) {
    starts.delete(1)
    clock.advance(2_000)
    starts.set(1, 'start-1')
    clock.advance(2_000)
  }
  t.deepEqual(gone, [])
})

test('R29: a pid that another process has now is not the process of the session', (t) => {
  const starts = new Map([[1, 'start-1']])
  const { clock, gone } = watch([session('a', 1)], starts)
  starts.set(1, 'start-9')
  clock.advance(4_000)
  t.deepEqual(gone, ['a'])
})

test('R29: after a boot armed sessions are over at the first look, whatever runs now', (t) => {
  const { clock, gone, state } = watch([session('a', 1)], new Map([[1, 'start-1']]))
  state.boot = 'boot-2'
  clock.advance(2_000)
  t.deepEqual(gone, ['a'])
})

test('R29: an end that could not be written is told again', (t) => {
  const { clock, gone } = watch([session('a', 1)], new Map())
  clock.advance(8_000)
  t.deepEqual(gone, ['a', 'a'])
})

test('R29: 1,000 sessions of one process cost one look at it and end together', (t) => {
  const sessions = Array.from({ length: 1_000 }, (_, index) => session(`s${index}`, 1))
  const starts = new Map([[1, 'start-1']])
  const { clock, gone, looked } = watch(sessions, starts)
  clock.advance(2_000)
  t.is(looked.length, 1)
  starts.clear()
  clock.advance(4_000)
  t.is(new Set(gone).size, 1_000)
  t.is(looked.length, 3)
})

test('a watch that was stopped looks no more, and one started twice looks once', (t) => {
  const { clock, looked, watching } = watch([session('a', 1)], new Map([[1, 'start-1']]))
  watching.start()
  clock.advance(2_000)
  t.is(looked.length, 1)
  watching.stop()
  watching.stop()
  clock.advance(10_000)
  t.is(looked.length, 1)
  t.is(clock.waiting, 0)
})

onLinux(
  'R29: a process is known by its start time while it runs, a zombie has ended, and who is not there is not seen',
  async (t) => {
    const { startOf } = systemProcesses('linux')
    t.regex(startOf(process.pid) ?? '', /^\d+$/)
    t.is(startOf(process.pid), startOf(process.pid))
    t.is(startOf(4_194_305), undefined)
    // The shell starts a child, tells its pid, and becomes a program that never asks how its child ended.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    try {
      const [text] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(text.toString())
      await waitFor('the child to be a zombie', () => startOf(pid) === undefined)
      t.notThrows(() => process.kill(pid, 0))
    } finally {
      parent.kill('SIGKILL')
    }
  },
)

onLinux('R29: a process whose name looks like the rest of the line is read right', async (t) => {
  const script = path.join(mkdtempSync(path.join(tmpdir(), 'leasehold-')), 'a) Z 1 2')
  writeFileSync(script, '#!/bin/sh\necho up\nread line\n', { mode: 0o700 })
  const child = spawn(script, { stdio: ['pipe', 'pipe', 'ignore'] })
  try {
    await once(child.stdout, 'data')
    const plain = Number(linuxProcesses.startOf(process.pid))
    const odd = Number(linuxProcesses.startOf(child.pid ?? 0))
    t.true(odd >= plain)
  } finally {
    child.kill('SIGKILL')
  }
})

test('where start times can not be seen nothing is watched', (t) => {
  t.is(systemProcesses('darwin').startOf(process.pid), undefined)
  t.is(systemProcesses('win32').startOf(process.pid), undefined)
})

onLinux(
  'R29: the seats of a program that is killed come back, those of one that runs and of an unseen pid stay',
  async (t) => {
    const table = systemProcesses('linux')
    const { lessor, get, used, clock } = await stand({
      supplies: [supply('l1/cad', { seats: 10 })],
      broker: { processes: table },
    })
    const watching = new ProcessWatch({
      table,
      timers: clock,
      boot: () => clock.boot().id,
      *sessions() {
        for (const { id, process: seen } of lessor.view.grants()) if (seen) yield { id, process: seen }
      },
      gone: (id) => {
        lessor.end(id, 'process_gone').catch(() => undefined)
      },
    })
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const pid = child.pid ?? 0
    await get('key-1', { process: { id: pid } })
    await get('key-2', { process: { id: pid } })
    await get('key-3', { process: { id: process.pid } })
    await get('key-4', { process: { id: 4_194_305 } })
    await get('key-5', { process: { id: pid }, address: '192.0.2.7' })
    watching.start()
    await clock.run(10_000)
    t.is(used(), 5)
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    await clock.run(4_000)
    t.is(used(), 3)
    const ended = [...lessor.view.tombstones()].map((one) => one.reason)
    t.deepEqual(ended, ['process_gone', 'process_gone'])
  },
)
