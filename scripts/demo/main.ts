/**
 * `npm run demo`: head office, branch, workstation and a web site on this machine, with people who come and go, until Ctrl-C.
 * Imports the machines and the people.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { callAgent } from '../bench/programs.ts'
import { keptByBranch, type Offices, openOffices, siteId } from './offices.ts'
import { People } from './people.ts'

/** What happens, so many seconds after what was before it. */
type Step = readonly [after: number, happen: () => Promise<string>]

/** A minute, which is repeated. */
function minute(people: People, { headOffice }: Offices): readonly Step[] {
  return [
    [1, () => people.openCad('ana')],
    [2, () => people.signIn('iris')],
    [2, () => people.openCad('ben')],
    [2, () => people.signIn('jack')],
    [2, () => people.openCad('cleo')],
    [2, () => people.openCad('dee')],
    [2, () => people.openCad('eve')],
    [3, () => people.signIn('kim')],
    [2, () => people.signIn('lou')],
    [3, () => people.signIn('root')],
    [2, () => people.visit('root', '/reports')],
    [3, () => people.closeCad('ben')],
    [2, () => people.openCad('eve')],
    [3, () => people.signOut('jack')],
    [2, () => people.signIn('lou')],
    [4, () => recycle(headOffice.port)],
    [3, () => people.visit('iris', '/reports')],
    [3, () => people.visit('lou', '/')],
    [5, () => people.closeCad('ana')],
    [2, () => people.closeCad('cleo')],
    [2, () => people.closeCad('dee')],
    [2, () => people.closeCad('eve')],
    [2, () => people.signOut('iris')],
    [2, () => people.signOut('lou')],
    [2, () => people.signOut('kim')],
    [2, () => people.signOut('root')],
  ]
}

async function recycle(port: number): Promise<string> {
  await callAgent(port, 'POST', `/sites/${siteId}/recycle`, {})
  return 'the seats of the site are recycled: everybody stays signed in, and takes a seat with the next click'
}

function introduce({ headOffice, branch, workstation, site }: Offices): string {
  const page = ({ port }: { port: number }, path = ''): string => `http://localhost:${port}${path}`
  return `
  head office  ${page(headOffice)}  has the licenses: /licenses, /sessions, and the site: /configuration/sites/${siteId}
  branch       ${page(branch)}  keeps ${keptByBranch} seats of CAD in advance: /configuration/sites
  workstation  ${page(workstation)}  its applications ask it, and it asks the branch: /sessions
  web site     ${site.address}  sign in with any name; “root” is an administrator

Open them in a browser. People come and go; Ctrl-C ends it all and leaves nothing behind.
`
}

async function show(signal: AbortSignal): Promise<void> {
  console.log('Starting head office, a branch, a workstation and a web site on this machine.')
  const offices = await openOffices(signal)
  const people = new People({ workstation: offices.workstation.port, site: offices.site.address })
  try {
    console.log(introduce(offices))
    for (;;)
      for (const [after, happen] of minute(people, offices)) {
        await pause(after * 1000, undefined, { signal })
        console.log(`${new Date().toLocaleTimeString('en-GB')}  ${await happen()}`)
      }
  } finally {
    console.log('Ending.')
    try {
      await people.leave()
    } finally {
      await offices.stop()
    }
  }
}

const end = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort())
try {
  await show(end.signal)
} catch (error) {
  if (!end.signal.aborted) throw error
}
