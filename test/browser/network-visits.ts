/** The visits to the pages about the network. */
import { send, type Visit } from './visit.ts'

export const networkVisits: readonly Visit[] = [
  { name: 'licenses-lost-address', size: 'some', address: '/licenses', prepare: (parts) => parts.net.agents.splice(0) },
  { name: 'managers', size: 'some', address: '/managers' },
  { name: 'managers-empty', size: 'empty', address: '/managers' },
  { name: 'managers-hostile', size: 'hostile', address: '/managers' },
  { name: 'managers-german', size: 'some', address: '/managers', language: 'de' },
  {
    name: 'managers-restored',
    size: 'some',
    address: '/managers',
    prepare: (parts) => {
      parts.net.restored = true
      parts.net.off = true
    },
  },
  { name: 'forget', size: 'some', address: '/managers/agent-lic/forget' },
  { name: 'search', size: 'some', address: '/managers/search' },
  { name: 'search-empty', size: 'empty', address: '/managers/search' },
  { name: 'search-full', size: 'full', address: '/managers/search' },
  { name: 'search-hostile', size: 'hostile', address: '/managers/search' },
  { name: 'test', size: 'some', address: '/managers/test' },
  {
    name: 'test-reached',
    size: 'some',
    address: '/managers/test',
    act: (page) => send(page, () => page.fill('#address', 'licenses.example.com'), 'Test'),
  },
  {
    name: 'test-failed',
    size: 'some',
    address: '/managers/test',
    act: (page) => send(page, () => page.fill('#address', 'nobody.example.com'), 'Test'),
  },
  {
    name: 'test-refused',
    size: 'some',
    address: '/managers/test',
    act: (page) => send(page, () => page.fill('#address', 'two words'), 'Test'),
  },
  { name: 'connect', size: 'empty', address: '/connect' },
  {
    name: 'connect-failed',
    size: 'empty',
    address: '/',
    act: (page) => send(page, () => page.fill('#address', 'nobody.example.com'), 'Test and connect'),
  },
  { name: 'service', size: 'some', address: '/service' },
  { name: 'service-hostile', size: 'hostile', address: '/service' },
  {
    name: 'service-stopped',
    size: 'some',
    address: '/service',
    language: 'de',
    prepare: (parts) => Object.assign(parts.net.serving, { running: false, handingOut: false, ending: 3 }),
  },
  { name: 'service-stop', size: 'some', address: '/service/stop' },
  {
    name: 'overview-disabled',
    size: 'some',
    address: '/',
    prepare: (parts) => Object.assign(parts.net.serving, { handingOut: false }),
  },
  { name: 'computer-disconnect', size: 'some', address: '/computers/computer-0/disconnect' },
  { name: 'computer-free-now', size: 'some', address: '/computers/computer-0/free-now' },
  { name: 'session-leased', size: 'some', address: '/sessions/s0003-2f9b1c7d' },
  { name: 'remote-managers', size: 'some', address: '/configuration/remote-managers' },
  {
    name: 'remote-managers-wrong',
    size: 'some',
    address: '/configuration/remote-managers',
    act: (page) => send(page, () => page.locator('[name="remote.search"]').fill('a\nb c\nd e'), 'Submit'),
  },
  {
    name: 'remote-managers-off',
    size: 'some',
    address: '/configuration/remote-managers',
    act: (page) => send(page, () => page.locator('[name="remote.allow"]').uncheck(), 'Submit'),
  },
  { name: 'remote-clients', size: 'some', address: '/configuration/remote-clients' },
  { name: 'remote-clients-hostile', size: 'hostile', address: '/configuration/remote-clients' },
  {
    name: 'remote-clients-refused',
    size: 'some',
    address: '/configuration/remote-clients',
    act: (page) => send(page, () => page.getByLabel('Everyone the rules allow').check(), 'Submit'),
  },
  {
    name: 'remote-clients-dry-run',
    size: 'some',
    address: '/configuration/remote-clients',
    act: (page) => send(page, () => page.locator('[name="serving.rules"]').fill('deny=10.1.2.18'), 'Dry run'),
  },
  { name: 'user-restrictions', size: 'some', address: '/configuration/user-restrictions', language: 'de' },
  {
    name: 'user-restrictions-checked',
    size: 'some',
    address: '/configuration/user-restrictions',
    act: async (page) => {
      await page.locator('[name="users.rules"]').fill('deny=bo')
      await page.locator('#check > summary').click()
      await send(page, () => page.getByLabel('Account').fill('bo'), 'Check')
    },
  },
  { name: 'detachable', size: 'some', address: '/configuration/detachable' },
  { name: 'detachable-product', size: 'some', address: '/configuration/detachable/acme/cad' },
  {
    name: 'detachable-product-wrong',
    size: 'some',
    address: '/configuration/detachable/acme/cad',
    act: (page) => send(page, () => page.fill('#maxDays', '0'), 'Submit'),
  },
  { name: 'network', size: 'some', address: '/configuration/network' },
  {
    name: 'network-proxy',
    size: 'some',
    address: '/configuration/network',
    prepare: (parts) => {
      parts.net.proxySet = true
      const url = parts.settings.findIndex(({ name }) => name === 'network.proxy.url')
      parts.settings[url] = { ...(parts.settings[url] as (typeof parts.settings)[0]), value: 'http://proxy:3128' }
    },
    act: (page) => send(page, async () => undefined, 'Test'),
  },
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
  { name: 'import', size: 'some', address: '/configuration/import' },
  {
    name: 'import-refused',
    size: 'some',
    address: '/configuration/import',
    act: (page) => send(page, () => page.fill('#text', 'Dear Ana'), 'See what it would change'),
  },
  {
    name: 'import-preview',
    size: 'some',
    address: '/configuration/import',
    act: (page) => send(page, () => page.fill('#text', '[SERVER]\nname = x'), 'See what it would change'),
  },
]
