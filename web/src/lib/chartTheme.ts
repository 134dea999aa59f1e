/** The tokens of `styles/tokens.css` for charts, which draw on a canvas and cannot read them. */
export const COLOURS = {
  surface: '#10161f',
  overlay: '#18202b',
  line: '#222c38',
  lineStrong: '#37455a',
  text: '#e8eef5',
  textMuted: '#a3b1c2',
  accent: '#5cb3ff',
  yesterday: '#8493a6',
  forecast: '#e5b567',
  types: ['#5cb3ff', '#4fc9b0', '#e5b567', '#8f9db0', '#b48ee0', '#e08e9b'],
} as const

/** Text, axes and tooltip in the style of the page; `rem` is the root font size in pixels. */
export function chartBase(rem: number) {
  const textStyle = { fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 0.8125 * rem }
  return {
    textStyle: { ...textStyle, color: COLOURS.textMuted },
    tooltip: {
      backgroundColor: COLOURS.overlay,
      borderColor: COLOURS.lineStrong,
      textStyle: { color: COLOURS.text, fontSize: 0.875 * rem },
      padding: [0.5 * rem, 0.75 * rem],
      confine: true,
      transitionDuration: 0,
    },
    axisLabel: { ...textStyle, color: COLOURS.textMuted },
    splitLine: { lineStyle: { color: COLOURS.line } },
    axisLine: { lineStyle: { color: COLOURS.lineStrong } },
  }
}
