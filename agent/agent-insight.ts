/**
 * Connects what the pages tell of the past and of the agent itself: journal, history, refusals, diagnostics.
 * Part of the composition root; only `agent-pages.ts` imports it.
 */
import { healthProblems, lineOf, type Owners } from './agent-api.ts'
import { listDiagnostics, writeDiagnostics } from './diagnostics.ts'
import { parseProductName, productName } from './domain/product-name.ts'
import type { RefusedSeat } from './http/ui/insight-parts.ts'
import type { Parts } from './http/ui/parts.ts'
import { JournalSearch, type JournalWish } from './journal-search.ts'
import type { RefusedSeat as KeptRefusal } from './refusals.ts'

export function connectInsight(owners: Owners): Pick<Parts, 'journal' | 'history' | 'refusals' | 'diagnostics'> {
  const { journal, writer, history, refusals } = owners
  const search = new JournalSearch({ journal, newest: () => writer.head.sequence, pause: owners.pause })
  let verifying: ReturnType<typeof journal.verify> | undefined
  return {
    journal: {
      page: async (wish, limit, to) => {
        const page = await search.page(wish, limit, to)
        return { ...page, entries: page.entries.map(lineOf) }
      },
      get: async (sequence) => {
        const entry = await search.get(sequence)
        return entry && lineOf(entry)
      },
      lines: (wish) => lines(search, wish),
      // Whoever asks while it runs gets the same answer.
      verify: () => {
        verifying ??= journal.verify().finally(() => {
          verifying = undefined
        })
        return verifying
      },
    },
    history: { read: (boundaries) => history.read(boundaries) },
    refusals: { list: () => refusals.list().map((one) => refusedSeat(one, owners)) },
    diagnostics: {
      sections: () => diagnose(owners),
      text: () => writeDiagnostics(diagnose(owners)),
    },
  }
}

async function* lines(search: JournalSearch, wish: JournalWish) {
  for await (const entry of search.all(wish)) yield lineOf(entry)
}

function refusedSeat(kept: KeptRefusal, { broker }: Owners): RefusedSeat {
  const { who, refusal, firstAt, lastAt, product, feature, ...rest } = kept
  const name = parseProductName(product)
  const now = name?.vendor === undefined ? undefined : broker.explain(productName(name.vendor, name.product), feature)
  const explanation = refusal?.facts?.explanation as RefusedSeat['explanation']
  return {
    ...rest,
    product,
    ...(feature === undefined ? {} : { feature }),
    user: who.displayName ?? who.email ?? who.account ?? '',
    host: who.host ?? '',
    application: who.application ?? '',
    address: who.address ?? '',
    firstAt: new Date(firstAt).toISOString(),
    lastAt: new Date(lastAt).toISOString(),
    ...(refusal === undefined ? {} : { detail: refusal.detail }),
    ...(explanation === undefined ? {} : { explanation }),
    ...(now === undefined ? {} : { now }),
  }
}

function diagnose(owners: Owners) {
  const { self, version, status, clock, floor, writer, paths, lessor, shelf, refusals, events, health } = owners
  const { port, startedAt, dataFolder } = status()
  return listDiagnostics({
    agent: { ...self(), version, startedAt },
    system: {
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      pid: process.pid,
      zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    clock: { wall: clock.wall(), floor: floor.dates().date, boot: clock.boot(), running: clock.atLeast() },
    store: {
      state: writer.state.kind,
      revision: writer.revision,
      starts: writer.startCounter,
      entries: writer.head.sequence,
    },
    paths: { data: dataFolder, store: paths.store, configuration: paths.configuration },
    port,
    counters: {
      sessions: lessor.view.grantCount,
      licenses: shelf.list().length,
      refusals: refusals.list().length,
      watchers: events.watchers,
      memory: Math.round(process.memoryUsage().rss / 1_048_576),
    },
    problems: healthProblems(health),
  })
}
