/**
 * Configuration > Network: adapters and port, the certificate that other machines see, the listener for a reverse proxy, and
 * the proxy on the way out with its test. Must not import owners.
 */
import { writeStep } from './agent-rows.ts'
import { readForm } from './form.ts'
import type { ProxyTest } from './network-parts.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { changeSettings, type SettingsPage, settingsOf, showSettings, tabAddresses } from './settings-page.ts'

interface Found {
  readonly proxy?: ProxyTest
  readonly address?: string
}

const own: SettingsPage = {
  tab: 'network',
  section: 'network',
  address: tabAddresses.network,
  view: 'pages/configuration-network',
  has: ({ name }) => name.startsWith('network.'),
  more: (page, parts, { found = {} }) => {
    const { language, time } = page
    const { proxy, address = '' }: Found = found
    const certificate = parts.network.certificate()
    const isProxySet = settingsOf(own, parts).some(
      ({ name, value }) => name === 'network.proxy.url' && value !== '' && value !== null,
    )
    return {
      adapters: parts.network.adapters(),
      listening: writeListening(page, parts),
      certificate: certificate && { ...certificate, ends: time.show(certificate.endsAt) },
      isProxySet,
      proxyAddress: address,
      proxy: proxy && {
        kind: proxy.good ? 'good' : 'error',
        title: tellProxy(proxy, language.t),
        steps: proxy.steps.map((step) => writeStep(step, language)),
      },
    }
  },
}

function tellProxy({ good, way }: ProxyTest, t: Page['language']['t']): string {
  if (!good) return t('network.proxy_bad')
  return way === 'proxy' ? t('network.proxy_good') : t('network.proxy_straight')
}

export function writeListening({ language: { t } }: Page, parts: Parts) {
  return parts.service.view().listening.map(({ address, audiences: who }) => ({
    address,
    who: who.map((one) => t(`audience.${one}`)).join(', '),
  }))
}

export async function showNetwork(page: Page, parts: Parts): Promise<void> {
  await showSettings(own, page, parts)
}

export async function changeNetwork(page: Page, parts: Parts): Promise<void> {
  await changeSettings(own, page, parts)
}

export async function testProxy(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const address = (read.form.address ?? '').trim().slice(0, 300)
  const outcome = await parts.network.testProxy(address === '' ? undefined : address)
  if (outcome.kind === 'refused')
    return showSettings(own, page, parts, { refused: describeRefusal(outcome, page.language), found: { address } }, 422)
  await showSettings(own, page, parts, { found: { proxy: outcome.test, address } })
}
