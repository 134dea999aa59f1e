// Search over one book. It has no index of words: the whole text of a book is read once, when the field is first used, and each
// search looks through it. So a Chinese word is found without knowing where words begin (套牌 in 套牌车), and a part of an English one as well.
'use strict'

/** As it is compared: one width, one case. */
function plain(text) {
  return text.normalize('NFKC').toLowerCase()
}

const CHINESE = /[\u3400-\u9fff]/

/** Pairs of neighbouring characters. */
function pairs(text) {
  return Array.from({ length: Math.max(text.length - 1, 1) }, (_, at) => text.slice(at, at + 2))
}

/** How well a section answers one term; 0: not at all. */
function weigh(section, term) {
  let score = 0
  if (section.plainTitle.includes(term)) score += 10
  if (section.plainHeading.includes(term)) score += 8
  const times = section.plainText.split(term).length - 1
  if (times > 0) score += 1 + Math.min(times, 8) / 4
  if (score > 0 || !CHINESE.test(term) || term.length < 3) return score
  // A Chinese sentence as it was typed: the share of its pairs of characters.
  const all = pairs(term)
  const found = all.filter((pair) => section.plainText.includes(pair) || section.plainHeading.includes(pair))
  const share = found.length / all.length
  return share >= 0.5 ? share : 0
}

/** The sections that hold every term, best first. */
function find(sections, query) {
  const terms = plain(query).split(/[\s,，。？?、]+/).filter(Boolean)
  if (terms.length === 0) return []
  return sections
    .map((section) => {
      const scores = terms.map((term) => weigh(section, term))
      return { section, score: scores.includes(0) ? 0 : scores.reduce((all, one) => all + one, 0) }
    })
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score)
    .map(({ section }) => ({ section, terms }))
}

/** The text around the first term found, with the terms marked. */
function excerpt(section, terms) {
  const line = document.createElement('span')
  const needles = terms.flatMap((term) => (section.plainText.includes(term) || !CHINESE.test(term) ? [term] : pairs(term)))
  const places = needles.map((needle) => section.plainText.indexOf(needle)).filter((at) => at >= 0)
  const from = Math.max(Math.min(...(places.length > 0 ? places : [0])) - 30, 0)
  let rest = section.text.slice(from, from + 150)
  if (from > 0) line.append('…')
  while (rest) {
    const found = needles
      .map((needle) => ({ needle, at: plain(rest).indexOf(needle) }))
      .filter(({ at }) => at >= 0)
      .sort((one, other) => one.at - other.at)[0]
    if (!found) break
    const mark = document.createElement('mark')
    mark.textContent = rest.slice(found.at, found.at + found.needle.length)
    line.append(rest.slice(0, found.at), mark)
    rest = rest.slice(found.at + found.needle.length)
  }
  line.append(rest, '…')
  return line
}

function setUp(form) {
  const field = form.querySelector('input')
  const box = form.querySelector('.results')
  const said = box.querySelector('p')
  const list = box.querySelector('ol')
  const { root, none, found, failed } = form.dataset
  let loading = null

  function sections() {
    loading ??= fetch(`${root}search.json`)
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((rows) =>
        rows.map(([url, title, heading, text]) => ({
          url, title, heading, text, plainTitle: plain(title), plainHeading: plain(heading), plainText: plain(text),
        })),
      )
      .catch((error) => {
        loading = null
        throw error
      })
    return loading
  }

  async function show() {
    const query = field.value.trim()
    box.hidden = query === ''
    if (box.hidden) return
    let hits
    try {
      hits = find(await sections(), query)
    } catch {
      said.textContent = failed
      list.replaceChildren()
      return
    }
    if (query !== field.value.trim()) return
    said.textContent = hits.length === 0 ? none : found.replace('{count}', String(hits.length))
    list.replaceChildren(
      ...hits.slice(0, 30).map(({ section, terms }) => {
        const entry = document.createElement('li')
        const link = document.createElement('a')
        link.href = root + section.url
        link.textContent = section.heading && section.heading !== section.title ? `${section.title} › ${section.heading}` : section.title
        entry.append(link, excerpt(section, terms))
        return entry
      }),
    )
  }

  field.addEventListener('focus', () => void sections().catch(() => {}))
  field.addEventListener('input', () => void show())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    list.querySelector('a')?.click()
  })
  // A hit on the page itself only moves on it.
  list.addEventListener('click', () => { box.hidden = true })
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') box.hidden = true
    if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '')) {
      event.preventDefault()
      field.focus()
    }
  })
  document.addEventListener('click', (event) => {
    if (!form.contains(event.target)) box.hidden = true
  })
}

document.querySelectorAll('form.search').forEach(setUp)
document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest' })
