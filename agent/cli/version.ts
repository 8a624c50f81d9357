/** `leasehold version`: which version of the program this is. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { packagePaths } from '../paths.ts'
import type { Verb } from './verb.ts'

const manifest = z.looseObject({ version: z.string() })

export const versionVerb: Verb = {
  name: 'version',
  summary: 'Print the version of this program',
  description: ['The version of the agent that runs is in leasehold status.'],
  arguments: [],
  options: [{ name: 'json', kind: 'switch', help: 'Print JSON' }],
  run: ({ out }) => {
    const { version } = manifest.parse(JSON.parse(readFileSync(packagePaths.manifest, 'utf8')))
    if (out.json) out.raw(JSON.stringify({ program: 'leasehold', version }))
    else out.line(`leasehold ${version}`)
    return 0
  },
}
