/**
 * Every setting of the agent, in one table: its kind, default, unit, words, page, and whether it needs a restart.
 * Types, checks, the file's schema, the environment's names, the pages and docs/configuration.md come from here.
 */
import { checkExceptions } from '../domain/access/exceptions.ts'
import { checkRules } from '../domain/access/parse.ts'
import { checkedLines, choice, list, onOff, rules, text, whole } from './kinds.ts'
import { findWrongLines } from './search-parameters.ts'
import {
  checkUrl,
  email,
  enableDetaching,
  fileName,
  host,
  hostName,
  maxDays,
  place,
  proxyPlace,
  proxyUrl,
  reservedPercent,
  reservedSeats,
  searchParameters,
  setting,
  type ValueIn,
} from './setting.ts'

export const settings = {
  'agent.name': setting(text({ wanted: 'a name of at most 64 characters', pattern: /\S/, max: 64 }), {
    page: 'basic',
    label: 'Machine Name',
    help: 'What others call this machine. Nothing means its host name.',
  }),
  'agent.email': setting(
    text(email),
    { page: 'basic', label: "User's E-mail", help: 'Stands for the user where an application names none.' },
    { personal: true },
  ),
  'session.idleMinutes': setting(whole(720, 10, 10_080), {
    page: 'basic',
    label: 'Idle Timeout of Session',
    help: 'A session ends after this time without activity, where the application reports its activity.',
    unit: 'minutes',
  }),
  'cache.lingerSeconds': setting(whole(300, 0, 86_400), {
    page: 'basic',
    label: 'Keep Leases after Use',
    help: 'A lease from another manager is kept for this time after its last session, so that the next one starts at once.',
    unit: 'seconds',
  }),
  'ui.rowsPerPage': setting(whole(20, 5, 1000), {
    page: 'basic',
    label: 'Rows per Page',
    help: 'How many rows tables show at a time.',
    unit: 'rows',
  }),
  'ui.refreshSeconds': setting(whole(3, 1, 3600), {
    page: 'basic',
    label: 'Refresh Time',
    help: 'How often a page looks for news where it gets none by itself.',
    unit: 'seconds',
  }),
  'ui.protection': setting(choice('configuration', ['none', 'configuration', 'all']), {
    page: 'basic',
    label: 'Password Protection',
    help: 'Which pages ask for the administrator password at this machine: none, those that change something, or all.',
  }),
  'ui.remote': setting(onOff(false), {
    page: 'basic',
    label: 'Allow Remote Administration',
    help: 'Lets administrators sign in from other machines, over TLS. Needs a password.',
  }),
  'ui.language': setting(choice('auto', ['auto', 'en', 'de']), {
    page: 'basic',
    label: 'Language',
    help: 'The language of the pages; auto is what the browser asks for.',
  }),
  'privacy.holders': setting(choice('names', ['names', 'initials', 'none']), {
    page: 'basic',
    label: 'Show Who Holds Seats',
    help: 'What a user who was refused learns about those who hold the seats.',
  }),
  'log.level': setting(choice('info', ['error', 'warn', 'info', 'debug']), {
    page: 'basic',
    label: 'Log Level',
    help: 'How much the log says.',
  }),
  'log.requests': setting(onOff(false), {
    page: 'basic',
    label: 'Log Every Request',
    help: 'Writes a line to the log for each request, the secrets left out.',
  }),
  'journal.keepDays': setting(whole(730, 1, 36_500), {
    page: 'basic',
    label: 'Keep Access Log',
    help: 'Entries of the access log and the history older than this are removed.',
    unit: 'days',
  }),

  'remote.allow': setting(onOff(true), {
    page: 'remote-managers',
    label: 'Allow Access to Remote Licenses',
    help: 'Off: no new leases from other managers; running ones end when their sessions do.',
  }),
  'remote.broadcast': setting(onOff(true), {
    page: 'remote-managers',
    label: 'Broadcast Search for Remote Licenses',
    help: 'Finds agents on the local network.',
  }),
  'remote.aggressive': setting(onOff(false), {
    page: 'remote-managers',
    label: 'Aggressive Search for Remote Licenses',
    help: 'Also reaches what broadcast can not: every address of the local IPv4 subnets up to /22, and agents that known agents know. IPv6 subnets are not searched address by address.',
  }),
  'remote.search': setting(checkedLines(searchParameters, findWrongLines), {
    page: 'remote-managers',
    label: 'Specify Search Parameters',
    help: 'One per line: IPv4, IPv6, link-local address with its adapter, host name, host:port, x.x.x.255 for every address of that /24, CIDR range up to /16, https URL, id@host. They are asked whatever else is searched.',
  }),

  'serving.handingOut': setting(onOff(true), {
    page: 'remote-clients',
    label: 'License Server Enabled',
    help: 'Off: nothing new is given out; running seats go on and are renewed.',
  }),
  'serving.access': setting(choice('none', ['none', 'approved', 'rules']), {
    page: 'remote-clients',
    label: 'Allow Access from Remote Clients',
    help: 'Which other agents get seats from here: no one, approved agents, or everyone the rules allow.',
  }),
  'serving.rules': setting(rules(checkRules('machines')), {
    page: 'remote-clients',
    label: 'Access Restrictions',
    help: 'allow= and deny= lines for machines, from the top; the first that fits decides, and what none fits is allowed.',
  }),
  'serving.seatsPerAgent': setting(whole(0, 0, 1_000_000), {
    page: 'remote-clients',
    label: 'Seats per Agent',
    help: 'So many seats of a product one other agent may hold at most. 0 means no limit.',
    unit: 'seats',
  }),

  'users.rules': setting(rules(checkRules('users')), {
    page: 'user-restrictions',
    label: 'User Restrictions',
    help: 'allow=user@host and deny= lines, from the top; the first that fits decides, and what none fits is allowed.',
  }),
  'people.policy': setting(choice('everyone', ['everyone', 'listed']), {
    page: 'user-restrictions',
    label: 'Who May Use Seats',
    help: 'Everyone, or only the users and domains that are listed.',
  }),
  'people.confirmEmail': setting(onOff(true), {
    page: 'user-restrictions',
    label: 'Confirm E-mail Addresses',
    help: 'Asks agents from outside once for a proof of the e-mail address they name.',
  }),
  'claims.lostDays': setting(whole(14, 0, 90), {
    page: 'user-restrictions',
    label: 'Lost Claims Come Back after',
    help: 'A claim that was declared lost is free again after this time.',
    unit: 'days',
  }),

  'detach.enabled': setting(onOff(false), { page: 'detachable', ...enableDetaching }),
  'detach.reservedSeats': setting(whole(0, 0, 1_000_000), { page: 'detachable', ...reservedSeats }),
  'detach.reservedPercent': setting(whole(0, 0, 100), { page: 'detachable', ...reservedPercent }),
  'detach.maxDays': setting(whole(14, 1, 9999), { page: 'detachable', ...maxDays }),
  'detach.needsAdministrator': setting(onOff(false), {
    page: 'detachable',
    label: 'Only Administrators Detach',
    help: 'Detaching to this machine and giving back ask for the administrator password.',
  }),
  'detach.graceSeconds': setting(whole(600, 5, 86_400), {
    page: 'detachable',
    label: 'Grace after a Detachment',
    help: 'The manager frees a detached seat this long after its date.',
    unit: 'seconds',
  }),

  'network.port': setting(
    whole(1947, 0, 65_535),
    { page: 'network', label: 'Port', help: 'The one TCP port. 0 takes any that is free.' },
    { needsRestart: true },
  ),
  'network.listen': setting(list(place), {
    page: 'network',
    label: 'Network Adapters',
    help: 'Names or addresses of the adapters to listen on. Empty means all, once access from other machines is on.',
  }),
  'network.names': setting(list(hostName), {
    page: 'network',
    label: 'Host Names of This Machine',
    help: 'Names by which browsers reach this agent from elsewhere, one per line. Its host name and addresses need not be listed.',
  }),
  'network.proxyListen': setting(text(proxyPlace), {
    page: 'network',
    label: 'Listen for a Reverse Proxy',
    help: 'Where a reverse proxy on this machine connects. Requests from there have no rights of this machine.',
  }),
  'network.proxies': setting(list(place), {
    page: 'network',
    label: 'Trusted Reverse Proxies',
    help: 'Addresses and ranges of reverse proxies whose X-Forwarded-For header says where a request comes from.',
  }),
  'network.tls.certificate': setting(text(fileName), {
    page: 'network',
    label: 'Certificate File',
    help: 'PEM file of the certificate chain. Nothing means the certificate that the agent made.',
  }),
  'network.tls.key': setting(text(fileName), {
    page: 'network',
    label: 'Certificate Key File',
    help: 'PEM file of the private key of the certificate.',
  }),
  'network.proxy.url': setting(
    { ...text(proxyUrl), check: checkUrl },
    {
      page: 'network',
      label: 'Outgoing Proxy',
      help: 'The proxy for accounts, activation and managers outside the local subnets.',
    },
  ),
  'network.proxy.user': setting(text(), {
    page: 'network',
    label: 'Proxy User',
    help: 'Name to sign in to the proxy.',
  }),
  'network.proxy.passwordFile': setting(text(fileName), {
    page: 'network',
    label: 'Proxy Password File',
    help: 'File with the password for the proxy in its first line.',
  }),
  'network.proxy.except': setting(
    { ...list(place), check: checkExceptions },
    {
      page: 'network',
      label: 'No Proxy for',
      help: 'Hosts, domains, addresses and networks that are reached without the proxy, one per line. This machine and its subnets always are.',
    },
  ),

  'mail.host': setting(text(host), {
    page: 'mail',
    label: 'Mail Server',
    help: 'Nothing means that no mail is sent.',
  }),
  'mail.port': setting(whole(587, 1, 65_535), { page: 'mail', label: 'Mail Port', help: 'Port of the mail server.' }),
  'mail.security': setting(choice('starttls', ['starttls', 'tls', 'none']), {
    page: 'mail',
    label: 'Mail Security',
    help: 'How the connection to the mail server is secured.',
  }),
  'mail.user': setting(text(), { page: 'mail', label: 'Mail User', help: 'Name to sign in to the mail server.' }),
  'mail.passwordFile': setting(text(fileName), {
    page: 'mail',
    label: 'Mail Password File',
    help: 'File with the password for the mail server in its first line.',
  }),
  'mail.from': setting(text(email), { page: 'mail', label: 'Sender', help: 'The address that mail comes from.' }),
} as const

export type SettingName = keyof typeof settings
export type SettingValue<Name extends SettingName> = ValueIn<(typeof settings)[Name]>
export type SettingValues = { readonly [Name in SettingName]: SettingValue<Name> }
export const settingNames = Object.keys(settings) as readonly SettingName[]
