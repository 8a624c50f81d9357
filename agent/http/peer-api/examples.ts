/**
 * Examples of what agents say to each other before they know each other. A test holds them against the schemas.
 */
import type { Hello, Peers } from '../../peers/wire.ts'
import type { CallExample } from '../route.ts'

type Plain = CallExample<Record<string, never>, Record<string, never>, Record<string, never>>

const agent = 'kOa7vjmGIfE-7z7c9eW4e1Qk3pVqS7vQ2mXn2cVwq0A'

const hello: Hello = {
  agent,
  key: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  name: 'LICENSE-1',
  version: '0.1.0',
  versions: [1],
  startId: 'p0B7QmWJx1o2cQnZk3l9Bw',
  startCounter: 12,
  time: Date.UTC(2027, 0, 4, 8),
  statement: 'eyJhbGciOiJFZERTQSIs…',
}

export const helloExample: Plain = { answers: { 200: hello } }

const peers: Peers = { peers: [{ agent, name: 'LICENSE-2', addresses: ['192.0.2.8:1947'] }] }

export const peersExample: Plain = { answers: { 200: peers } }
