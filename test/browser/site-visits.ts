/** What the browser tests look at of web sites and reserves: empty, usual, full, cut off, hostile, wrong. */
import { cutOff, fillUp } from '../http/ui/sample-sites.ts'
import { send, type Visit } from './visit.ts'

export const siteVisits: readonly Visit[] = [
  { name: 'sites', size: 'some', address: '/configuration/sites' },
  { name: 'sites-empty', size: 'empty', address: '/configuration/sites', language: 'de' },
  { name: 'sites-hostile', size: 'hostile', address: '/configuration/sites' },
  {
    name: 'sites-wrong',
    size: 'some',
    address: '/configuration/sites',
    act: (page) => send(page, () => page.fill('#id', 'No Name'), 'Add site'),
  },
  { name: 'site', size: 'some', address: '/configuration/sites/shop' },
  { name: 'site-german', size: 'some', address: '/configuration/sites/shop', language: 'de' },
  { name: 'site-hostile', size: 'hostile', address: '/configuration/sites/shop' },
  { name: 'site-stopped', size: 'some', address: '/configuration/sites/wiki' },
  {
    name: 'site-token',
    size: 'some',
    address: '/configuration/sites/shop/token',
    act: (page) => send(page, async () => undefined, 'Make a new token'),
  },
  { name: 'site-recycle', size: 'some', address: '/configuration/sites/shop/recycle' },
  { name: 'reserve-drop', size: 'some', address: '/configuration/sites/reserves/design/drop' },
  { name: 'sites-cut', size: 'some', address: '/configuration/sites', prepare: ({ kept }) => cutOff(kept) },
  { name: 'site-cut', size: 'some', address: '/configuration/sites/shop', prepare: ({ kept }) => cutOff(kept) },
  { name: 'sites-full', size: 'some', address: '/configuration/sites', prepare: ({ kept }) => fillUp(kept) },
  { name: 'site-full', size: 'some', address: '/configuration/sites/shop', prepare: ({ kept }) => fillUp(kept) },
  {
    name: 'site-wrong',
    size: 'some',
    address: '/configuration/sites/shop',
    act: (page) => send(page, () => page.fill('#cron', 'never'), 'Submit'),
  },
]
