/** A browser in short words, from its own description of itself (`User-Agent`). Most describe themselves as others, too: the order matters. */

const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ['Edge', /Edg(?:e|A|iOS)?\/(\d+)/],
  ['Opera', /OPR\/(\d+)/],
  ['QQ', /M?QQBrowser\/(\d+)/],
  ['Firefox', /(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /(?:Chrome|CriOS)\/(\d+)/],
  ['Safari', /Version\/(\d+)\S* (?:Mobile\/\S+ )?Safari\//],
]

const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['Linux', /Linux/],
]

/** `Chrome 120 · Windows`; the name that a program gives, such as `curl`, if it is no browser; null without any. */
export function browserName(agent: string): string | null {
  const system = SYSTEMS.find(([, sign]) => sign.test(agent))?.[0]
  for (const [name, sign] of BROWSERS) {
    const version = sign.exec(agent)?.[1]
    if (version) return [`${name} ${version}`, ...(system ? [system] : [])].join(' · ')
  }
  return /^([\w.-]{1,32})(?:\/|$)/.exec(agent)?.[1]?.replace(/^Mozilla$/, '') || null
}
