/**
 * Examples of the calls about the agent itself: health, configuration, journal, events, sign-in.
 * Must not import anything of ours but shapes, and the agent that all examples are of.
 */
import type { ConfigurationEntry, Health, ImportedConfiguration, JournalLine, Status, Version } from './agent-shapes.ts'
import { exampleAgent } from './session-examples.ts'
import type { List } from './shapes.ts'

const health: Health = {
  state: 'warning',
  problems: [
    {
      code: 'no_password',
      severity: 'warning',
      title: 'There is no administrator password',
      text: 'Anyone at this computer can change settings and licenses.',
      action: { label: 'Set a password', address: '/configuration/basic' },
    },
  ],
}
const version: Version = {
  program: 'leasehold',
  version: '0.1.0',
  agent: exampleAgent,
  node: '20.20.2',
  platform: 'linux x64',
}
const status: Status = {
  pid: 812,
  port: 1947,
  dataFolder: '/var/lib/leasehold',
  startedAt: '2026-11-24T06:00:00.000Z',
  version: '0.1.0',
  agent: exampleAgent,
  sessions: 1,
}

const idle: ConfigurationEntry = {
  name: 'session.idleMinutes',
  section: 'basic',
  label: 'Idle Timeout of Session',
  help: 'A session ends after this time without activity, where the application reports its activity.',
  kind: 'number',
  value: 60,
  default: 720,
  source: 'administrator',
  editable: true,
  restart: false,
  unit: 'minutes',
  min: 10,
  max: 10_080,
}
const settings = { entries: [idle] }

const entry: JournalLine = {
  sequence: 42,
  at: '2026-11-24T08:00:00.000Z',
  instance: exampleAgent.id,
  type: 'session.opened',
  facts: { product: 'acme/cad', feature: 'rendering', seats: 1 },
  personal: { user: 'ana', host: 'WS-17', address: '127.0.0.1' },
  hash: '7COdfQ9QfH7gW-be9et7rd6co0SHek3siTSjfQfILcM',
}

const signedIn = { expiresAt: '2026-11-24T20:00:00.000Z', idleSeconds: 3600 }

export const healthExample = { answers: { 200: health } }
export const liveExample = { answers: { 200: { live: true } } }
export const readyExample = { answers: { 200: { ready: true }, 503: { ready: false } } }
export const versionExample = { answers: { 200: version } }
export const statusExample = { answers: { 200: status } }
export const describeExample = {
  answers: { 200: { openapi: '3.1.0', info: { title: 'Leasehold', version: '0.1.0' }, paths: {} } },
}

export const configurationExample = { query: { section: 'basic' }, answers: { 200: settings } }
export const changeConfigurationExample = {
  body: { 'session.idleMinutes': 60, 'agent.name': null },
  answers: { 200: settings },
}
export const configurationSchemaExample = {
  answers: {
    200: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: { agent: { type: 'object', properties: { name: { type: 'string', maxLength: 64 } } } },
    },
  },
}
export const validateConfigurationExample = { body: { 'session.idleMinutes': 60 }, answers: { 204: undefined } }
export const importConfigurationExample = {
  body: { text: '[SERVER]\nname = WS-17\npidfile = 0\n', apply: false },
  answers: {
    200: {
      applied: false,
      settings: [
        {
          name: 'agent.name',
          label: 'Machine Name',
          from: '',
          to: 'WS-17',
          changes: true,
          lines: [{ line: 2, written: 'name = WS-17' }],
        },
      ],
      leftOut: [
        {
          line: 3,
          written: 'pidfile = 0',
          reason: 'one_log',
          text: 'There is one switch here, for all requests; the log goes to standard output, where the system keeps and cuts it.',
        },
      ],
    } satisfies ImportedConfiguration,
  },
}

export const journalExample = {
  query: { type: 'session', limit: 1 },
  answers: { 200: { items: [entry], total: 2, next: '41' } satisfies List<JournalLine> },
  texts: {
    'application/x-ndjson': `${JSON.stringify(entry)}\n`,
    'text/csv':
      'sequence,at,type,product,feature,user,host,address,application,outcome,rule,reason,facts\r\n' +
      '42,2026-11-24T08:00:00.000Z,session.opened,acme/cad,rendering,ana,WS-17,127.0.0.1,,,,,"{""seats"":1}"\r\n',
  },
}
export const verifyJournalExample = { answers: { 200: { kind: 'good', entries: 42, head: entry.hash } } }
export const eventsExample = {
  headers: { 'Last-Event-ID': 'uX3kQ9.17' },
  query: { types: 'session,license' },
  answers: {},
  texts: {
    'text/event-stream':
      'retry: 3000\n\nid: uX3kQ9.18\nevent: session.opened\ndata: {"id":"3tHk2wq7S1yB0nVJr9cXzA","product":"acme/cad"}\n\n',
  },
}

export const signInExample = { body: { password: 'correct horse battery' }, answers: { 200: signedIn } }
export const signOutExample = { answers: { 204: undefined } }
export const changePasswordExample = {
  body: { current: 'correct horse battery', password: 'a longer one of my own' },
  answers: { 200: signedIn },
}
