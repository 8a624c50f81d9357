/**
 * Who has the port when it can't be had: asks by plain HTTP, and says in words what to do about it.
 * Must not import owners.
 */
import { get, type IncomingMessage } from 'node:http'
import { z } from 'zod'

export type PortHolder =
  /** An agent like this one. */
  | { readonly kind: 'leasehold'; readonly name: string; readonly version: string }
  /** The license manager of the Sentinel run-time, which has the same port. */
  | { readonly kind: 'sentinel' }
  | { readonly kind: 'http'; readonly server: string }
  | { readonly kind: 'unknown' }

const patience = 2000
const mostBytes = 64 * 1024
/** Only what is needed to recognize it: it may be newer than this one. */
const versionAnswer = z.looseObject({
  program: z.literal('leasehold'),
  version: z.string().max(64),
  agent: z.looseObject({ name: z.string().max(255) }),
})

export async function askHolder(address: string, port: number): Promise<PortHolder> {
  const version = await ask(address, port, '/api/v1/version')
  if (version === undefined) return { kind: 'unknown' }
  const ours = versionAnswer.safeParse(parse(version.text))
  if (ours.success) return { kind: 'leasehold', name: ours.data.agent.name, version: ours.data.version }
  const front = await ask(address, port, '/')
  const said = [version, front].map((answer) => `${answer?.server} ${answer?.location} ${answer?.text}`).join(' ')
  if (/\bHASP\b|Sentinel|\/_int_\//i.test(said)) return { kind: 'sentinel' }
  return { kind: 'http', server: version.server.replaceAll(/[^\x20-\x7e]/g, '').slice(0, 64) }
}

/** What stands in the way, and the next step. */
export function explainHolder(holder: PortHolder, port: number): { readonly text: string; readonly help: string } {
  const another = 'give this agent another port: network.port in the configuration file, or LEASEHOLD_NETWORK_PORT.'
  if (holder.kind === 'leasehold')
    return {
      text: `A Leasehold agent (${holder.name}, version ${holder.version}) already runs on port ${port} of this machine.`,
      help: 'One agent per machine is enough: open its page, or ask it with: leasehold status.',
    }
  if (holder.kind === 'sentinel')
    return {
      text: `The Sentinel License Manager has port ${port} of this machine.`,
      help: `Stop its service (Linux: systemctl stop aksusbd hasplmd; Windows: “Sentinel LDK License Manager” in Services) if nothing needs it any more, or ${another}`,
    }
  const server = holder.kind === 'http' && holder.server !== '' ? ` (it calls itself ${holder.server})` : ''
  return {
    text: `Another program${server} has port ${port} of this machine.`,
    help: `Find it (Linux: ss -ltnp 'sport = :${port}'; macOS: lsof -iTCP:${port}; Windows: netstat -ano) and stop it, or ${another}`,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Said {
  readonly server: string
  readonly location: string
  readonly text: string
}

/** One request, no redirects, within a deadline and a size; `undefined` when nothing like HTTP answers. */
function ask(host: string, port: number, path: string): Promise<Said | undefined> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(patience)
    let isAnswered = false
    const onAnswer = (response: IncomingMessage) => {
      isAnswered = true
      const server = String(response.headers.server ?? '')
      const location = response.headers.location ?? ''
      let text = ''
      const finish = () => resolve({ server, location, text })
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        text += piece
        if (text.length > mostBytes) request.destroy()
      })
      response.on('end', finish)
      response.on('error', finish)
      response.on('close', finish)
    }
    const request = get({ host, port, path, agent: false, signal, headers: { Host: `localhost:${port}` } }, onAnswer)
    request.on('error', () => resolve(undefined))
    // what answers is no answer, such as 101
    request.on('close', () => {
      if (!isAnswered) resolve(undefined)
    })
  })
}
