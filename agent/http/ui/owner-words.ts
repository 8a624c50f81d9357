/**
 * What the owners of the network say in English sentences, in the language of the page: which sentences there are, and where
 * the names, numbers and reasons stand in them. A sentence that is not known here is shown as it is. Must not import owners.
 */
import type { Language } from '../../language.ts'

/** Key of the text in the catalogs, and the English sentence; `reason` is a part that is said here, too. */
export const ownerSentences: readonly (readonly [key: string, english: RegExp])[] = [
  ['is_address', /^It is an address\.$/],
  ['name_stands', /^The name stands for (?<addresses>.+)\.$/],
  ['range_stands', /^It stands for (?<number>\d+) addresses\.$/],
  ['proxy_looks_up', /^The outgoing proxy looks it up\.$/],
  ['ask_for_name', /^Ask the network administrator for the name (?<host>\S+), or type its address instead\.$/],
  ['takes_connections', /^(?<place>\S+) takes connections\.$/],
  ['range_takes', /^(?<open>\d+) of (?<number>\d+) addresses take connections on port (?<port>\d+)\.$/],
  [
    'range_help',
    /^See whether agents run there and let other machines in, and ask the network administrator to let TCP port (?<port>\d+) through\.$/,
  ],
  [
    'closed_help',
    /^See whether the agent runs on (?<host>\S+), has port (?<port>\d+), and lets other machines in: Configuration > Access from Remote Clients there\.$/,
  ],
  [
    'route_help',
    /^Ask the network administrator for a route from this machine(?<own> \(\S+\))? to (?<host>\S+), or see whether this machine is connected\.$/,
  ],
  [
    'silent_help',
    /^Ask the network administrator to let TCP port (?<port>\d+) through from this machine(?<own> \(\S+\))? to (?<host>\S+), and see whether that machine is on\.$/,
  ],
  ['proxy_takes', /^The outgoing proxy takes connections to (?<place>\S+)\.$/],
  ['proxy_fails', /^By the outgoing proxy: (?<reason>.+)\.$/],
  ['proxy_help', /^See the outgoing proxy under Configuration > Network: its Test button goes step by step\.$/],
  ['speaks_tls', /^It speaks TLS\.$/],
  ['they_speak_tls', /^They speak TLS\.$/],
  ['none_is_agent', /^What was found is no agent, or did not let this one in\.$/],
  [
    'other_port_help',
    /^See whether an agent listens there, and ask the network administrator whether a proxy or firewall takes its place\.$/,
  ],
  ['itself_help', /^This is the address of this very machine: type that of the license server\.$/],
  ['proved_to_be', /^It proved to be (?<name>.+) \((?<id>[\w-]{43})\)\.$/],
  ['proved', /^It proved who it is\.$/],
  ['none_proved', /^None of them proved to be another agent\.$/],
  ['agents', /^Agents: (?<agents>.+)\.$/],
  [
    'other_id_help',
    /^The server that is meant has another address, or was set up anew: ask its administrator for its id\.$/,
  ],
  ['speak_version', /^Both speak version (?<version>\d+); it runs Leasehold (?<program>.+)\.$/],
  ['update_help', /^Update the older of the two agents\.$/],
  ['takes_ms', /^An answer takes (?<ms>\d+) ms\.$/],
  ['clocks_agree', /^Both clocks agree\.$/],
  ['clock_ahead', /^Its clock is (?<seconds>\d+) s ahead of ours\.$/],
  ['clock_behind', /^Its clock is (?<seconds>\d+) s behind ours\.$/],
  ['clock_help', /^Set the clock right that is wrong: dates of licenses go by it\.$/],
  ['offers_more', /^It offers (?<offers>.+) and (?<more>\d+) more\.$/],
  ['offers', /^It offers (?<offers>\S+ \(\d+ of \d+ free\).*)\.$/],
  ['offers_nothing', /^It offers no licenses\.$/],
  ['offers_help', /^Install and activate a network license there; stand-alone licenses are not offered\.$/],
  ['disabled', /^Its license server is disabled\.$/],
  ['disabled_help', /^Its administrator can enable it on the Service page\.$/],
  ['stopped', /^Its license server is stopped\.$/],
  ['stopped_help', /^Its administrator can start it on the Service page\.$/],
  ['access_off', /^It does not let other machines in\.$/],
  ['access_off_help', /^Its administrator can switch it on: Configuration > Access from Remote Clients\.$/],
  ['pending', /^This machine waits for approval there\.$/],
  ['pending_help', /^Ask its administrator to approve this machine under Managers\.$/],
  ['by_rule', /^A rule there refuses this machine\.$/],
  ['by_rule_help', /^Ask its administrator for the access rules\.$/],
  ['refuses', /^It refuses \((?<code>\w+)\)\.$/],
  ['ask_administrator', /^Ask its administrator\.$/],
  ['not_testable', /^“(?<text>.*)” can not be tested: (?<reason>.+)\.$/],
  ['no_address', /^(?<text>.+) is no address\.$/],
  ['not_in_time', /^It did not answer in time\.$/],
  ['no_known_address', /^No address of it is known\.$/],
]

/** Parts of sentences: after a colon, without a full stop. */
export const ownerReasons: readonly (readonly [key: string, english: RegExp])[] = [
  ['no_such_name', /^no such name is known$/],
  ['names_failed', /^the name service failed \((?<code>\w+)\)$/],
  ['no_answer_within', /^no answer within (?<seconds>[\d.]+) s$/],
  ['no_answer', /^no answer \((?<code>\w+)\)$/],
  ['refused', /^nothing listens there \(the connection was refused\)$/],
  ['no_way_code', /^there is no way to that address \((?<code>\w+)\)$/],
  ['failed', /^the connection failed \((?<code>\w+)\)$/],
  ['search_ended', /^the search was ended$/],
  ['name_unknown', /^the name is not known$/],
  ['names_silent', /^the name service does not answer$/],
  ['names_late', /^the name service did not answer in time$/],
  ['nothing_listens', /^nothing listens there$/],
  ['no_way_machine', /^there is no way to that machine$/],
  ['no_way_network', /^there is no way to that network$/],
  ['nothing_answered', /^nothing answered in time$/],
  ['connection_closed', /^the connection was closed$/],
  ['no_tls', /^what answers does not speak TLS 1\.3 \((?<code>\w+)\)$/],
  ['no_certificate', /^no certificate was shown$/],
  ['handshake', /^the handshake did not end in time$/],
  ['no_agent', /^what answers there is no agent$/],
  ['key_of_id', /^its key is not that of its id$/],
  ['unsigned', /^the answer is not signed with its key$/],
  ['statement_unsigned', /^its statement about the certificate is not signed by it$/],
  ['other_certificate', /^the certificate of the connection is not the one that its key names$/],
  ['statement_old', /^its statement about the certificate is out of date$/],
  ['itself', /^this is the agent itself$/],
  ['other_agent', /^another agent answers there: (?<name>.+) \((?<id>[\w-]+)\)$/],
  ['busy', /^too many greet it from this address at the moment$/],
  ['no_requests', /^it takes no requests at the moment$/],
  [
    'update_this',
    /^(?<name>.+) speaks version (?<theirs>[\d, ]+) of the interface between agents and this agent (?<ours>[\d, ]+); update this agent$/,
  ],
  [
    'update_other',
    /^(?<name>.+) speaks version (?<theirs>[\d, ]+) of the interface between agents and this agent (?<ours>[\d, ]+); update (?<other>.+)$/,
  ],
  ['answer_late', /^no answer came in time$/],
  ['answer_long', /^the answer did not end in time$/],
  ['answer_large', /^the answer is larger than (?<size>\d+) KB$/],
  ['answer_broke', /^the answer broke off$/],
  ['parameter_wanted', /^an address, a host name, a range or a URL is wanted$/],
  ['parameter_long', /^it is longer than 255 characters$/],
  ['parameter_spaces', /^one parameter per line is wanted, without spaces$/],
  ['ranges_many', /^with this range more than (?<number>\d+) addresses would have to be searched$/],
  ['port_wanted', /^a port is a number from 1 to 65535$/],
  ['ipv6_wanted', /^this is no IPv6 address; with a port it is \[address\]:port$/],
  ['nobodys_address', /^no agent has this address$/],
  ['nobodys_range', /^no agent has an address of this range$/],
  ['adapter_wanted', /^a link-local address needs its network adapter, as in (?<address>\S+)%eth0$/],
  ['adapter_unwanted', /^only link-local addresses \(fe80…\) have a network adapter after %$/],
  ['adapter_wrong', /^the name of the network adapter is not right$/],
  ['host_missing', /^an address or host name is missing$/],
  ['ipv4_wanted', /^an IPv4 address has four numbers from 0 to 255, without zeros in front$/],
  ['no_host_name', /^this is no host name$/],
  ['id_wanted', /^before @ stands the id of an agent: 43 letters, digits, - or _$/],
  ['range_ipv6', /^ranges of IPv6 addresses are too large to be searched$/],
  ['range_wanted', /^a range is written as in 10\.0\.0\.0\/24$/],
  ['range_large', /^a range is at most a \/(?<prefix>\d+), which is (?<number>\d+) addresses$/],
  ['https_wanted', /^only https addresses are asked$/],
  ['no_url', /^this is no URL$/],
  ['url_login', /^a URL must have no user and no password$/],
  ['url_path', /^a URL ends with the host or its port; there is nothing to follow$/],
  ['test_many', /^a test tries at most (?<number>\d+) addresses; the search reaches all (?<all>\d+)$/],
  ['line', /^line (?<line>\d+), "(?<text>.*?)": (?<reason>.+)$/],
]

/** `10.0.0.5:1947: nothing listens there; 10.0.0.6:1947: no answer within 2 s.` */
const atPlaces = /^\S+: .+\.$/s

/** @param said what an owner says: one sentence or more, or a reason */
export function sayAs({ tag, translate }: Pick<Language, 'tag' | 'translate'>, said: string): string {
  if (tag === 'en' || said === '' || said.length > longest) return said
  return sayWith(translate, said, [...ownerSentences, ...ownerReasons]) ?? sayOfPlaces(translate, said) ?? said
}

const longest = 2_000

function sayOfPlaces(translate: Language['translate'], said: string): string | undefined {
  if (!atPlaces.test(said)) return undefined
  const parts = said
    .slice(0, -1)
    .split('; ')
    .map((part) => {
      const [, place = '', reason = ''] = /^(\S+): (.+)$/s.exec(part) ?? []
      const own = sayWith(translate, reason, ownerReasons)
      return own === undefined ? undefined : `${place}: ${own}`
    })
  return parts.includes(undefined) ? undefined : `${parts.join('; ')}.`
}

function sayWith(translate: Language['translate'], said: string, sentences: typeof ownerSentences): string | undefined {
  for (const [key, english] of sentences) {
    const groups = english.exec(said)?.groups
    if (groups === undefined && !english.test(said)) continue
    const args = Object.fromEntries(Object.entries(groups ?? {}).map(([name, value = '']) => [name, value]))
    if (args.reason !== undefined) args.reason = sayWith(translate, args.reason, ownerReasons) ?? args.reason
    // An English sentence is not filled in: what others call themselves may look like a place in it.
    return translate(`owner.${key}`, '', args) || undefined
  }
  return undefined
}
