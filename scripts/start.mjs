/** `npm start`: installs and builds what is missing, then runs the agent. Imports set-up and child only. */
import path from 'node:path'
import { runBuilt } from './child.mjs'
import { prepare, root, runScript } from './set-up.mjs'

await runScript(() => {
  prepare()
  runBuilt(path.join(root, 'build/agent/main.js'), ['serve', ...process.argv.slice(2)])
})
