/**
 * An agent in memory for the tests of the pages. Everything a page can do works on it and is remembered in `done`.
 */
import { refuse } from '../../../agent/errors.ts'
import type { ConfigurationEntry, HealthProblem, JournalLine } from '../../../agent/http/api/agent-shapes.ts'
import type { LicenseDetails } from '../../../agent/http/api/license-shapes.ts'
import type { Session } from '../../../agent/http/api/shapes.ts'
import { buildInterface } from '../../../agent/http/routes.ts'
import type { RefusedSeat } from '../../../agent/http/ui/insight-parts.ts'
import type { Parts } from '../../../agent/http/ui/parts.ts'
import type { LicenseMode } from '../../../agent/http/ui/product-parts.ts'
import { selectSessions } from '../../../agent/http/ui/session-selection.ts'
import { makeParts } from '../api/api-call.ts'
import { makeNetworkSettings } from './sample-agents.ts'
import {
  at,
  hostile,
  makeLicense,
  makeLicenses,
  makeProducts,
  makeSessions,
  makeSettings,
  minute,
  now,
  type Size,
} from './sample-data.ts'
import { createDetaching, type SampleDetaching } from './sample-detaching.ts'
import { createInsight, makeComputers, makeDocuments, makeFeatures } from './sample-insight.ts'
import { createNetwork, type SampleNetwork } from './sample-network.ts'
import { createSites, type SampleSites } from './sample-sites.ts'

export const password = 'correct horse battery'

export interface SampleParts extends Parts {
  readonly done: string[]
  readonly sessionList: Session[]
  readonly licenseList: LicenseDetails[]
  readonly problemList: HealthProblem[]
  readonly settings: ConfigurationEntry[]
  /** Makes every list throw, as a store that failed would. */
  broken: boolean
  passwordSet: string | undefined
  readonly journalLines: JournalLine[]
  readonly refusalList: RefusedSeat[]
  machineName: string
  readonly net: SampleNetwork
  readonly taken: SampleDetaching
  readonly kept: SampleSites
}

export function createSampleParts(size: Size): SampleParts {
  const done: string[] = []
  const sessionList = makeSessions(size)
  const licenseList = makeLicenses(size)
  const settings = [...makeSettings(), ...makeNetworkSettings()]
  const net = createNetwork(size, done)
  const { detaching: taken, part: detaching } = createDetaching(size, done)
  const { kept, ...keeping } = createSites(size, done)
  const problemList: HealthProblem[] = [
    {
      code: 'no_password',
      severity: 'warning',
      title: 'No administrator password is set',
      text: 'Anyone at this computer can change settings.',
      action: { label: 'Set a password', address: '/configuration/basic#password' },
    },
  ]
  if (size === 'hostile')
    for (const name of hostile) problemList.push({ code: 'x', severity: 'error', title: name, text: name })
  function check(): void {
    if (parts.broken) throw new Error('the store is gone')
  }
  const insight = createInsight(size, check)
  const parts: SampleParts = {
    done,
    sessionList,
    licenseList,
    problemList,
    settings,
    broken: false,
    passwordSet: undefined,
    machineName: size === 'hostile' ? hostile[0] : 'WS-17',
    net: net.network,
    taken,
    detaching,
    ...net.parts,
    kept,
    ...keeping,
    now: () => now,
    frame: () => ({
      machineName: parts.machineName,
      version: '0.1.0',
      rowsPerPage: Number(settings.find(({ name }) => name === 'ui.rowsPerPage')?.value ?? 20),
      refreshSeconds: 3,
      hostNames: ['ws-17'],
    }),
    health: { problems: () => problemList },
    products: {
      list: () => {
        check()
        return makeProducts(licenseList, size)
      },
      mode: (id) => {
        const settingOf = (name: string) => settings.find((setting) => setting.name === `products.${id}.${name}`)?.value
        return { mode: (settingOf('mode') ?? 'both') as LicenseMode, manager: String(settingOf('manager') ?? '') }
      },
      recount: async (id) => {
        done.push(`recounted ${id}`)
        return {
          kind: 'recounted',
          licenses: [{ license: 'lic-7f3a9c21', any: false, kept: 3, counted: id === 'acme/acme-viewer' ? 4 : 3 }],
        }
      },
    },
    features: {
      list: () => {
        check()
        return makeFeatures(size)
      },
    },
    computers: {
      list: () => {
        check()
        return makeComputers(size)
      },
      endsBy: () => at(9 * minute),
      overlapOf: (id) => (id === 'computer-1' ? undefined : { seats: 2, until: at(9 * minute) }),
      disconnect: async (id, { freeNow, reason }) => {
        done.push(`disconnected ${id}${freeNow ? ' now' : ''}${reason === undefined ? '' : ` ${reason}`}`)
        const freeAt = at(9 * minute)
        if (!freeNow) return { kind: 'disconnected', ended: 'ending', freeAt }
        return { kind: 'disconnected', ended: 'confirmed', freeAt: at(0), overlap: { seats: 2, until: freeAt } }
      },
    },
    documents: {
      process: async (text, { apply, trust }) => {
        if (!text.includes('BEGIN LEASEHOLD')) return refuse('not_a_document', 'No block begins in these lines.')
        if (apply) done.push(`applied ${trust ? 'with trust' : 'as it is'}`)
        return { kind: 'recognized', documents: makeDocuments(text, apply, trust) }
      },
    },
    ...insight,
    licenses: {
      list: () => {
        check()
        return licenseList
      },
      get: (id) => licenseList.find((license) => license.id === id),
      add: async ({ text, trust }) => {
        if (!text.includes('BEGIN LEASEHOLD LICENSE'))
          return refuse('not_a_document', 'No block begins in these lines.')
        if (text.includes('stranger') && !trust)
          return refuse('untrusted_vendor', 'The license is of a vendor that this agent has not met.', {
            vendor: 'stranger',
            fingerprint: 'AAAA-BBBB-CCCC',
          })
        const license = makeLicense({
          id: 'lic-new',
          state: 'not_activated',
          actions: ['activation-request', 'activate'],
        })
        licenseList.push(license)
        done.push(`added ${text.length}`)
        return { kind: 'added', licenses: [license] }
      },
      requestActivation: async (id) => {
        done.push(`requested ${id}`)
        return {
          kind: 'made',
          request:
            '-----BEGIN LEASEHOLD ACTIVATION REQUEST-----\nLicense: x\n\nAAAA\n-----END LEASEHOLD ACTIVATION REQUEST-----',
          fingerprint: 'Q9TD-7K2M',
        }
      },
      activate: async (id, text) => {
        if (!text.includes('ACTIVATION')) return refuse('wrong_recipient', 'The block names agent WS-18.')
        done.push(`activated ${id}`)
        return { kind: 'activated' }
      },
      deactivate: async (id, confirmOverlap) => {
        if (id === 'lic-5510' && !confirmOverlap) return refuse('license_in_use', '212 seats of it are in use.')
        done.push(`deactivated ${id}`)
        if (id === 'lic-0007') return { kind: 'deactivating', freeAt: at(9 * minute) }
        return {
          kind: 'deactivated',
          receipt: '-----BEGIN LEASEHOLD DEACTIVATION-----\n\nAAAA\n-----END LEASEHOLD DEACTIVATION-----',
        }
      },
      remove: async (id) => {
        const place = licenseList.findIndex((license) => license.id === id)
        if (place < 0) return refuse('unknown_license', 'It may have been removed.')
        licenseList.splice(place, 1)
        done.push(`removed ${id}`)
        return { kind: 'removed' }
      },
    },
    sessions: {
      list: (selection) => {
        check()
        return selectSessions(sessionList, selection)
      },
      get: (id) => sessionList.find((session) => session.id === id),
      overlapOf: () => ({ seats: 1, until: at(9 * minute) }),
      disconnect: async (id, { freeNow, reason }) => {
        done.push(`disconnected ${id}${freeNow ? ' now' : ''}${reason === undefined ? '' : ` ${reason}`}`)
        const place = sessionList.findIndex((session) => session.id === id)
        const session = sessionList[place]
        if (session === undefined) return refuse('unknown_session', 'It has ended.')
        if (freeNow) {
          sessionList.splice(place, 1)
          return {
            kind: 'disconnected',
            ended: 'confirmed',
            freeAt: at(0),
            overlap: { seats: 1, until: at(9 * minute) },
          }
        }
        const freeAt = at(9 * minute)
        sessionList[place] = { ...session, state: 'ending', freeAt, actions: ['free-now'] }
        return { kind: 'disconnected', ended: 'ending', freeAt }
      },
    },
    configuration: {
      describe: (section) => settings.filter((setting) => setting.section === section),
      change: async (patch) => {
        const place = Object.entries(patch).find(([name, value]) => name.endsWith('.manager') && value === 'two words')
        if (place !== undefined)
          return refuse('invalid_request', 'One field is wrong.', {
            fields: [{ field: place[0], message: 'wants the address of a manager' }],
          })
        if (patch['agent.name'] === 'nope')
          return refuse('invalid_request', 'One field is wrong.', {
            fields: [{ field: 'agent.name', message: 'must be another name' }],
          })
        if (patch['serving.access'] === 'rules' && parts.passwordSet === undefined)
          return refuse('password_needed', 'Set a password first.')
        const lines = patch['remote.search'] ?? patch['serving.rules'] ?? patch['users.rules']
        const field = Object.keys(patch).find((name) => Array.isArray(patch[name])) ?? ''
        const wrong = (Array.isArray(lines) ? lines : []).flatMap((line, place) =>
          line.includes(' ') ? [{ field, message: `${field}, line ${place + 1}: “${line}” has spaces` }] : [],
        )
        if (wrong.length > 0) return refuse('invalid_request', 'Lines are wrong.', { fields: wrong })
        const changes = Object.entries(patch).map(([name, after]) => {
          const place = settings.findIndex((setting) => setting.name === name)
          const before = settings[place] ?? {
            ...(settings[0] as ConfigurationEntry),
            name,
            section: name.startsWith('detach.') ? 'detachable' : 'remote-managers',
            value: null,
          }
          settings[place < 0 ? settings.length : place] = { ...before, value: after, source: 'administrator' }
          return { name, before: before.value, after }
        })
        done.push(`changed ${JSON.stringify(patch)}`)
        return { kind: 'changed', changes }
      },
    },
    administrator: {
      protected: () => parts.passwordSet !== undefined,
      signedIn: ({ cookies }) => parts.passwordSet !== undefined && cookies.includes('sample-sign-in=yes'),
      may: (guard, { cookies }) =>
        parts.passwordSet === undefined ||
        guard === 'open' ||
        guard === 'see' ||
        (guard === 'take' && settings.find(({ name }) => name === 'detach.needsAdministrator')?.value !== true) ||
        cookies.includes('sample-sign-in=yes'),
      signIn: async (given) => {
        if (given === 'too often') return refuse('too_many_requests', '10 attempts failed.', { retryIn: 60 })
        if (given !== parts.passwordSet) return refuse('wrong_password', 'The password is another one.')
        return { kind: 'signed_in', cookie: 'sample-sign-in=yes; Path=/; HttpOnly; SameSite=Strict' }
      },
      signOut: async () => 'sample-sign-in=; Path=/; Max-Age=0',
      changePassword: async ({ current, password: next }) => {
        if (parts.passwordSet !== undefined && current !== parts.passwordSet)
          return refuse('wrong_password', 'The current password is another one.')
        parts.passwordSet = next
        done.push('changed password')
        return { kind: 'changed', cookie: 'sample-sign-in=yes; Path=/; HttpOnly; SameSite=Strict' }
      },
    },
    interface: { describe: buildInterface(makeParts()).describe },
    sample: {
      install: async () => {
        if (licenseList.length > 0) return refuse('already_applied', 'The sample license is installed.')
        licenseList.push(makeLicense({ id: 'lic-sample' }))
        done.push('sample')
        return { kind: 'installed' }
      },
    },
  }
  return parts
}
