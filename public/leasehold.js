/**
 * What the pages do beyond plain HTML: live rows, confirm pages as dialogs, copy buttons, folded parts that links open.
 * Every task works without it. It holds no texts: they come with the page in data attributes.
 */

// ---- live rows: the page asks for itself again when something happened, and takes over what differs

const quietMs = 300
const retryMs = 5000
const region = document.querySelector('[data-live]')
if (region !== null) followEvents(region)

function followEvents(live) {
  const topics = live.dataset.live.split(' ')
  const everyMs = Number(live.dataset.refresh) * 1000
  let source
  let timer
  let asked = 0
  let running = false
  let again = false

  function open() {
    source = new EventSource(`/api/v1/events?types=${topics.join(',')}`)
    source.onopen = () => showState('following')
    source.onerror = () => {
      showState('paused')
      // A stream that the server ended for good is not opened again by the browser itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || reopen(), retryMs)
    }
    for (const topic of [...topics, 'reset']) source.addEventListener(topic, plan)
  }
  function close() {
    source?.close()
    source = undefined
    clearTimeout(timer)
    timer = undefined
  }
  function reopen() {
    close()
    open()
    plan()
  }
  /** Soon, but not more often than the refresh time says. */
  function plan() {
    const wait = Math.max(quietMs, asked + Math.min(everyMs || quietMs, 3000) - performance.now())
    timer ??= setTimeout(refresh, wait)
  }
  async function refresh() {
    timer = undefined
    if (running) {
      again = true
      return
    }
    running = true
    asked = performance.now()
    try {
      const response = await fetch(location.href, { headers: { accept: 'text/html' }, credentials: 'same-origin' })
      if (!response.ok || response.redirected) throw new Error(String(response.status))
      takeOver(live, new DOMParser().parseFromString(await response.text(), 'text/html'))
      if (source?.readyState === EventSource.OPEN) showState('following')
    } catch {
      showState('paused')
    }
    running = false
    if (again) {
      again = false
      plan()
    }
  }

  // Hidden tabs pause their stream: a browser opens only about six connections to one server.
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : reopen()))
  addEventListener('pagehide', close)
  addEventListener('pageshow', (event) => event.persisted && reopen())
  if (everyMs > 0) setInterval(() => document.hidden || plan(), Math.max(everyMs, 1000))
  if (!document.hidden) open()
}

function showState(state) {
  const line = document.querySelector('[data-live-line]')
  const mark = line?.querySelector('.live-state')
  if (!mark) return
  mark.hidden = false
  mark.classList.toggle('is-paused', state === 'paused')
  const text = mark.querySelector('span')
  if (text.textContent !== line.dataset[state]) text.textContent = line.dataset[state]
}

function takeOver(live, fresh) {
  const newer = fresh.querySelector('[data-live]')
  const rows = live.querySelector('[data-live-rows]')
  const newRows = newer?.querySelector('[data-live-rows]')
  if (!newer || Boolean(rows) !== Boolean(newRows)) {
    // From rows to none or back: another page. Not while a dialog is open or something is being typed.
    if (!document.querySelector('dialog[open]') && !isTyping()) location.reload()
    return
  }
  if (rows) takeOverRows(rows, newRows)
  for (const part of live.querySelectorAll('section[id]')) {
    const newPart = newer.querySelector(`section[id="${CSS.escape(part.id)}"]`)
    if (newPart) morph(part, newPart)
  }
  for (const selector of ['[data-live-summary]', '.live-at', '.pager > p']) {
    const here = live.querySelector(selector)
    const there = newer.querySelector(selector)
    if (here && there && here.textContent !== there.textContent) here.textContent = there.textContent
  }
  const badge = document.querySelector('.head-state')
  const newBadge = fresh.querySelector('.head-state')
  if (badge && newBadge) morph(badge, newBadge)
  const icon = document.querySelector('link[rel="icon"]')
  const newIcon = fresh.querySelector('link[rel="icon"]')
  if (icon && newIcon && icon.getAttribute('href') !== newIcon.getAttribute('href')) icon.replaceWith(newIcon)
}

/**
 * Rows are patched by id and stay where they are; new ones do not push others away but are offered in the line above.
 * With `data-live-rows="all"` the list is one to watch: new ones come in where they belong.
 */
function takeOverRows(rows, newRows) {
  const fresh = new Map([...newRows.children].map((row) => [row.id, row]))
  for (const row of [...rows.children]) {
    const newRow = fresh.get(row.id)
    fresh.delete(row.id)
    if (newRow === undefined) {
      if (row.contains(document.activeElement)) row.classList.add('is-gone')
      else row.remove()
    } else if (morph(row, newRow)) {
      row.classList.remove('is-changed')
      requestAnimationFrame(() => row.classList.add('is-changed'))
    }
  }
  if (rows.dataset.liveRows === 'all') {
    placeRows(rows, newRows)
    return
  }
  const line = document.querySelector('[data-live-line]')
  const more = line?.querySelector('.live-more')
  if (more) {
    more.hidden = fresh.size === 0
    more.textContent = line.dataset.more.replace('{count}', String(fresh.size))
  }
}

/** The order of the new page; what has the focus stays where it is. */
function placeRows(rows, newRows) {
  const here = new Map([...rows.children].map((row) => [row.id, row]))
  let place = rows.firstElementChild
  for (const wanted of [...newRows.children]) {
    const row = here.get(wanted.id) ?? wanted
    if (row === place) place = place.nextElementSibling
    else if (!row.contains(document.activeElement)) rows.insertBefore(row, place)
  }
}

/** Makes `from` like `to` and keeps elements, so that focus and selection stay. True: more than a time in words changed. */
function morph(from, to) {
  let changed = false
  for (const { name } of [...from.attributes])
    if (!to.hasAttribute(name) && name !== 'class' && name !== 'open') from.removeAttribute(name)
  for (const { name, value } of to.attributes)
    if (from.getAttribute(name) !== value && !(name === 'hidden' && from.dataset.copy)) from.setAttribute(name, value)
  const old = [...from.childNodes]
  const fresh = [...to.childNodes]
  for (let place = 0; place < Math.max(old.length, fresh.length); place += 1) {
    const here = old[place]
    const there = fresh[place]
    if (there === undefined) {
      here.remove()
      changed = true
    } else if (here === undefined) {
      from.append(there)
      changed = true
    } else if (here.nodeType !== there.nodeType || here.nodeName !== there.nodeName) {
      here.replaceWith(there)
      changed = true
    } else if (here.nodeType === Node.ELEMENT_NODE) {
      if (here.id !== there.id && !here.contains(document.activeElement)) {
        here.replaceWith(there)
        changed = true
      } else if (morph(here, there) && here.nodeName !== 'TIME') changed = true
    } else if (here.nodeValue !== there.nodeValue) {
      here.nodeValue = there.nodeValue
      changed = true
    }
  }
  return changed
}

function isTyping() {
  return document.activeElement?.matches('input, textarea, select') === true
}

// ---- confirm pages as dialogs: the same form, over the page where it was asked for

document.addEventListener('click', async (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[data-dialog]') : null
  if (link === null || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  event.preventDefault()
  let form
  try {
    const response = await fetch(link.href, { headers: { accept: 'text/html' }, credentials: 'same-origin' })
    if (response.ok && !response.redirected)
      form = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('#confirm')
  } catch {
    // The page itself says what is the matter.
  }
  if (form) showDialog(form, link)
  else location.href = link.href
})

function showDialog(form, opener) {
  const dialog = document.createElement('dialog')
  const title = document.createElement('h2')
  title.id = 'dialog-title'
  title.textContent = form.dataset.title
  dialog.setAttribute('aria-labelledby', title.id)
  form.classList.remove('panel')
  dialog.append(title, document.adoptNode(form))
  document.body.append(dialog)
  const cancel = dialog.querySelector('[data-cancel]')
  cancel.addEventListener('click', (event) => {
    event.preventDefault()
    dialog.close()
  })
  dialog.addEventListener('close', () => {
    dialog.remove()
    opener.focus()
  })
  dialog.showModal()
  cancel.focus()
}

// ---- a day that is chosen is spelled out at once; the next step of the form says the exact end

for (const line of document.querySelectorAll('[data-spells]')) {
  const words = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'full', timeZone: 'UTC' })
  const field = document.getElementById(line.dataset.spells)
  field.addEventListener('input', () => {
    const day = field.valueAsDate
    line.textContent = day === null ? '' : line.dataset.text.replace('{day}', words.format(day))
  })
}

// ---- copy buttons, shown only where they can work

for (const button of document.querySelectorAll('[data-copy]')) {
  if (!navigator.clipboard) continue
  button.hidden = false
  const label = button.querySelector('span')
  const text = label.textContent
  button.addEventListener('click', async () => {
    const source = document.getElementById(button.dataset.copy)
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent)
    } catch {
      // Not permitted: everything is selected, so that the keyboard can copy it.
      if (source.select) source.select()
      else getSelection().selectAllChildren(source)
      return
    }
    label.textContent = button.dataset.done
    label.setAttribute('role', 'status')
    setTimeout(() => {
      label.textContent = text
    }, 2000)
  })
}

// ---- a link to something that is folded opens it

addEventListener('hashchange', openTarget)
openTarget()

function openTarget() {
  const target = document.getElementById(location.hash.slice(1))
  if (target?.nodeName === 'DETAILS') target.open = true
}

// ---- what is wrong with a form comes first

document.getElementById('errors')?.focus()
