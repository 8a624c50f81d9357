/**
 * The people of the demo: applications at the workstation that take seats and give them back, and browsers at the web site. Owns
 * their sessions and cookies. What they did is told in a sentence each.
 */
import { openSession, type Session } from 'leasehold/client'

export interface Places {
  /** Port of the agent of the workstation. */
  readonly workstation: number
  /** Address of the web site. */
  readonly site: string
}

export class People {
  readonly #places: Places
  readonly #sessions = new Map<string, Session>()
  readonly #cookies = new Map<string, string>()

  constructor(places: Places) {
    this.#places = places
  }

  async openCad(name: string): Promise<string> {
    const outcome = await openSession({
      product: 'sample/cad',
      user: { account: name, email: `${name}@example.com` },
      application: 'CAD 1.0',
      port: this.#places.workstation,
    })
    if (outcome.kind === 'refused') return `${name} wants CAD at the workstation and is refused: ${outcome.detail}`
    this.#sessions.set(name, outcome.session)
    return `${name} opens CAD at the workstation`
  }

  async closeCad(name: string): Promise<string> {
    const session = this.#sessions.get(name)
    this.#sessions.delete(name)
    await session?.close()
    return session ? `${name} closes CAD and gives the seat back` : `${name} had no seat and goes home`
  }

  async signIn(name: string): Promise<string> {
    const answer = await this.#ask('POST', '/sign-in', name, new URLSearchParams({ name }))
    const cookie = answer.headers.get('set-cookie')?.split(';')[0]
    if (answer.status === 503 || cookie === undefined)
      return `${name} signs in at the site and is refused: ${await sentence(answer)}`
    this.#cookies.set(name, cookie)
    return `${name} signs in at the site`
  }

  async signOut(name: string): Promise<string> {
    await this.#ask('POST', '/sign-out', name)
    this.#cookies.delete(name)
    return `${name} signs out; the seat is the site’s again`
  }

  async visit(name: string, address: string): Promise<string> {
    const answer = await this.#ask('GET', address, name)
    const to = answer.headers.get('location')
    if (to !== null) return `${name} opens ${address} and is led to ${to}`
    if (answer.ok) return `${name} opens ${address} and has a seat`
    return `${name} opens ${address} and is refused: ${await sentence(answer)}`
  }

  /** Everybody goes home. */
  async leave(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((one) => one.close()))
    this.#sessions.clear()
    this.#cookies.clear()
  }

  #ask(method: 'GET' | 'POST', address: string, name: string, body?: URLSearchParams): Promise<Response> {
    const cookie = this.#cookies.get(name)
    return fetch(this.#places.site + address, {
      method,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
      ...(cookie === undefined ? {} : { headers: { cookie } }),
    })
  }
}

/** The reason on a page of the site. */
async function sentence(answer: Response): Promise<string> {
  return /<\/h1><p>([^<]*)/.exec(await answer.text())?.[1] ?? `status ${answer.status}`
}
