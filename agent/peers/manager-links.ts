/**
 * Links to known managers, one each for good: whoever holds seats there keeps it. What is heard over them tells that what is
 * known of the manager may be old. Owns the links, and who is to be asked again.
 */
import type { Timers } from '../clock.ts'
import type { ManagerLink } from './manager-link.ts'
import type { KnownPeer } from './prober.ts'

/** It answered, seats there may have changed, or it could not be reached: what comes later says more. */
const kindsOfNews = ['answered', 'counts', 'lost'] as const
export type News = (typeof kindsOfNews)[number]

export interface ManagerLinksParts {
  readonly linkTo: (peer: KnownPeer) => ManagerLink
  readonly timers: Timers
  /** Told a moment later, once for all that came until then. */
  readonly onNews: (id: string, news: News) => void
}

/** ms that news of one manager are gathered. */
const pause = 1000

export class ManagerLinks {
  readonly #parts: ManagerLinksParts
  readonly #links = new Map<string, { readonly link: ManagerLink; readonly peer: LivePeer }>()
  readonly #waiting = new Map<string, News>()

  constructor(parts: ManagerLinksParts) {
    this.#parts = parts
  }

  get(id: string): ManagerLink | undefined {
    return this.#links.get(id)?.link
  }

  make(known: KnownPeer): ManagerLink {
    const made = this.#links.get(known.id)
    if (made !== undefined) {
      made.peer.known = known
      return made.link
    }
    const peer = new LivePeer(known)
    const link = observeLink(this.#parts.linkTo(peer), (news) => this.#note(known.id, news))
    this.#links.set(known.id, { link, peer })
    return link
  }

  #note(id: string, news: News): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined)
      this.#parts.timers.after(pause, () => {
        const told = this.#waiting.get(id) ?? news
        this.#waiting.delete(id)
        this.#parts.onNews(id, told)
      })
    if (waiting === undefined || kindsOfNews.indexOf(waiting) < kindsOfNews.indexOf(news)) this.#waiting.set(id, news)
  }
}

/** An agent that is forgotten and met again is another object with the same link. */
class LivePeer implements KnownPeer {
  known: KnownPeer

  constructor(known: KnownPeer) {
    this.known = known
  }

  get id(): string {
    return this.known.id
  }

  get name(): string {
    return this.known.name
  }

  get addresses(): readonly string[] {
    return this.known.addresses
  }
}

function observeLink(link: ManagerLink, onNews: (news: News) => void): ManagerLink {
  const observe = async <Reply extends { readonly kind: string }>(answer: Promise<Reply>): Promise<Reply> => {
    const reply = await answer
    onNews(reply.kind === 'unreachable' ? 'lost' : reply.kind === 'refused' ? 'counts' : 'answered')
    return reply
  }
  return {
    id: link.id,
    get name() {
      return link.name
    },
    ask: (...all) => observe(link.ask(...all)),
    renew: (...all) => observe(link.renew(...all)),
    release: (...all) => observe(link.release(...all)),
    follow: ({ onEvent, onUp }) =>
      link.follow({
        onEvent: (event) => {
          if (event.kind === 'counts' || event.kind === 'policy') onNews('counts')
          onEvent(event)
        },
        onUp: () => {
          onNews('counts')
          onUp()
        },
      }),
  }
}
