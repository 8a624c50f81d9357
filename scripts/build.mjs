/** `npm run build`: compiles what changed into build/ and makes the command executable. Imports set-up only. */
import { buildIfNeeded, installIfNeeded, runScript } from './set-up.mjs'

await runScript(() => {
  installIfNeeded()
  buildIfNeeded()
})
