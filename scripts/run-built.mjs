/** Runs a compiled script after building what changed: `node scripts/run-built.mjs build/FILE.js ARGUMENTS …`. */
import path from 'node:path'
import { runBuilt } from './child.mjs'
import { prepare, root, runScript, SetUpError } from './set-up.mjs'

await runScript(() => {
  const [script, ...args] = process.argv.slice(2)
  if (script === undefined) throw new SetUpError('Say which script: node scripts/run-built.mjs build/FILE.js')
  prepare()
  runBuilt(path.resolve(root, script), args)
})
