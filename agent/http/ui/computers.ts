/**
 * Computers: who is connected from where, what is in use there, and ending all of it. Must not import owners.
 */
import { describeOutcome } from './disconnect.ts'
import { readForm } from './form.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import type { Computer } from './product-parts.ts'
import { nameComputerUser, writeComputerRow } from './product-rows.ts'
import { chooseFormat, cutPage, hasWords, readListQuery, sendList } from './table.ts'

export async function showComputers(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { search, number } = readListQuery(page)
  const all = parts.computers.list()
  const found =
    search === ''
      ? all
      : all.filter((one) =>
          hasWords(search, [
            one.host,
            nameComputerUser(one),
            one.user.account,
            one.user.email,
            one.agent?.name,
            ...one.addresses,
            ...one.uses.flatMap(({ product, feature }) => [product, feature]),
          ]),
        )
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['machine', 'user', 'account', 'email', 'agent', 'addresses', 'sessions', 'seats', 'since', 'uses']
    return sendList(page, format, 'computers', found, head, (one) => [
      [
        one.host,
        nameComputerUser(one),
        one.user.account,
        one.user.email,
        one.agent?.name,
        one.addresses.join(' '),
        one.sessions,
        one.seats,
        one.since,
        one.uses
          .map(({ product, feature, seats }) => `${seats} × ${product}${feature ? ` ${feature}` : ''}`)
          .join('; '),
      ],
    ])
  }
  const titles = new Map(parts.products.list().map(({ id, title }) => [id, title]))
  const { shown, ...list } = cutPage(page, parts.frame(), '/computers', search, number, found)
  await page.show('pages/computers', {
    title: language.t('navigation.computers'),
    rows: shown.map((one) => writeComputerRow(one, titles, language, time)),
    total: found.length,
    known: all.length,
    ...list,
  })
}

type Way = 'disconnect' | 'free-now'

function find(page: Page, parts: Parts): Computer | undefined {
  return parts.computers.list().find(({ id }) => id === page.param('id'))
}

export function nameComputer(computer: Computer, { t }: Page['language']): string {
  const user = nameComputerUser(computer)
  const machine = computer.host ?? computer.agent?.name ?? ''
  if (user !== '' && machine !== '') return t('sessions.holder', { user, machine })
  return user || machine || t('sessions.holder_unknown', { address: computer.addresses[0] ?? '' })
}

export async function askDisconnectComputer(page: Page, parts: Parts, way: Way): Promise<void> {
  const { language, time } = page
  const { t } = language
  const computer = find(page, parts)
  if (computer === undefined) return page.showProblem('unknown_session', t('computers.gone'))
  const holder = nameComputer(computer, language)
  const address = `/computers/${encodeURIComponent(computer.id)}`
  const overlap = parts.computers.overlapOf(computer.id)
  const endsBy = parts.computers.endsBy(computer.id)
  const until = endsBy === undefined ? '' : time.show(endsBy).exact
  const confirm = { action: `${address}/${way}`, cancel: '/computers', reason: true }
  const trail = [{ text: t('navigation.computers'), address: '/computers' }]
  const uses = computer.uses.map(({ product, feature }) => [product, feature].filter(Boolean).join(' · ')).join(', ')
  if (way === 'disconnect') {
    await page.show('pages/confirm', {
      title: t('disconnect.title', { holder }),
      trail,
      confirm: {
        ...confirm,
        texts: [
          t('computers.consequence', { count: computer.sessions, holder, uses }),
          until === '' ? t('computers.ends_soon') : t('computers.ends_by', { time: until }),
        ],
        button: t('disconnect.button', { holder }),
        other: overlap === undefined ? undefined : { text: t('disconnect.override'), address: `${address}/free-now` },
      },
    })
    return
  }
  if (overlap === undefined) return page.showProblem('overlap_forbidden', t('computers.no_overlap'))
  await page.show('pages/confirm', {
    title: t('computers.free_title', { holder }),
    trail,
    confirm: {
      ...confirm,
      texts: [
        t('computers.free_consequence', { count: computer.seats, holder }),
        t('free_now.overlap', { count: overlap.seats, time: time.show(overlap.until).exact }),
      ],
      button: t('free_now.button'),
      other: undefined,
    },
  })
}

export async function disconnectComputer(page: Page, parts: Parts, way: Way): Promise<void> {
  const { language } = page
  const computer = find(page, parts)
  if (computer === undefined) return page.showProblem('unknown_session', language.t('computers.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const reason = read.form.reason?.trim().slice(0, 255) ?? ''
  const outcome = await parts.computers.disconnect(computer.id, {
    freeNow: way === 'free-now',
    ...(reason === '' ? {} : { reason }),
  })
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo('/computers', describeOutcome(outcome, nameComputer(computer, language), page))
}
