/**
 * A second process for the tests: `hold <folder>` opens the store and keeps it until its input ends;
 * `write <folder>` goes on committing until it is killed, and says each revision after it was acknowledged.
 */
import { writeSync } from 'node:fs'
import { LevelStore } from '../../agent/store/level-store.ts'
import { StoreError } from '../../agent/store/store.ts'
import { Hand } from './hand.ts'
import { changesOf } from './workload.ts'

const [, , mode, folder = ''] = process.argv

/** Not through a stream: what was said must be out before the process is killed. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}

const store = new LevelStore({ folder })
try {
  const state = await store.open()
  if (mode === 'write') {
    const hand = new Hand(store, state)
    for (let revision = state.revision + 1; ; revision += 1) {
      await hand.commit(changesOf(revision, 300), revision % 3)
      say(String(revision))
    }
  }
  say('open')
  process.stdin.resume().on('end', () => void store.close())
} catch (error) {
  if (!(error instanceof StoreError)) throw error
  say(`${error.code}: ${error.message}`)
}
